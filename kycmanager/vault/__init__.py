"""Encryption at rest: master keys seal the keys of brands and profiles, those seal answers and the keys of files."""
