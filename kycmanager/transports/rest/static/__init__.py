"""The files of the API page that are our own."""
