"""The records in one SQLite file: one connection writes, others only read."""

from kycmanager.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
