"""What decoders find in a file: whether it can be decoded within bounds, and what in it is active."""
