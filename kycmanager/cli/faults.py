"""What ends a sub-command with one line on stderr instead of a traceback."""


class CliError(Exception):
    """The work could not be done (exit code 1); the text says what to do next."""


class UsageError(CliError):
    """The arguments do not fit together (exit code 2); the text says how to call it."""
