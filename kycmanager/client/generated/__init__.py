"""The methods of the clients, written by `python -m kycmanager.contract`; never by hand."""
