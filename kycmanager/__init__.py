"""A cache-first KYC manager daemon: ask customers, review, decide, and prove it years later."""

__version__ = "0.1.0"
