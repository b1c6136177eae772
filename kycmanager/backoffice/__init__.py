"""The reviewers' pages at /backoffice: a page reads a form, runs commands for who is signed in, and renders."""
