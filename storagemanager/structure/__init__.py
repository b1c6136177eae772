"""Strict, bounded walks over the formats: each finds where its format ends, or says why it is none."""
