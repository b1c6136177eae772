"""The measurements themselves, one small module per kind of work."""
