"""What is known of the meaning of a field."""

from typing import Any

from msgspec import UNSET, Struct


class Entry(Struct, frozen=True):
    """The meaning of a field and an example of it; without one it is made from the field's type.

    `in_list` is the meaning in a request for a list instead, `in_write` that in a write.
    """

    doc: str
    example: Any = UNSET
    in_list: str = ""
    in_write: str = ""
