"""Backups: made beside a running daemon, checked to the last row and file, brought back into an empty folder."""
