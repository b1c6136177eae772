"""The places files can lie in."""
