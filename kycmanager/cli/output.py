"""What a sub-command says: results on stdout, complaints on stderr."""

import sys


def say(text: str) -> None:
    """Write one line of the result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write one line about what went wrong and what to do next."""
    sys.stderr.write(f"kycmanager: {text}\n")
    sys.stderr.flush()
