"""Where the fields of a request stand over REST; the document and the client read it here alike."""

import re

_IN_PATH = re.compile(r"\{(\w+)\}")
_WITHOUT_BODY = frozenset({"GET", "DELETE"})


def path_fields(path: str) -> list[str]:
    """Return the names of the fields a path carries."""
    return _IN_PATH.findall(path)


def in_query(method: str) -> bool:
    """Tell whether the fields that are not in the path go to the query string rather than to a body."""
    return method in _WITHOUT_BODY
