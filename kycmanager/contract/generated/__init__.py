"""The OpenAPI document, written by `python -m kycmanager.contract`; never by hand."""
