"""JSON as text, for what takes no bytes."""

import msgspec


def json_text(value: object) -> str:
    """Write a value as compact JSON; raises TypeError for what has no JSON."""
    return msgspec.json.encode(value).decode()
