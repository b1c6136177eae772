"""Doors for the protocols of others: each translates to commands and has no state or rule of its own."""
