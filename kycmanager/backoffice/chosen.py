"""What a page is asked to show: fields of its form, kept in its address, and from which row on."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlencode

from msgspec import Struct


class Chosen(Struct, frozen=True, kw_only=True):
    """Fields as form and address have them; "" is any. A page adds its own."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read the fields from a form or an address; what is none of them is ignored."""
        return cls(**{name: str(fields[name]).strip() for name in cls.__struct_fields__ if name in fields})

    @property
    def given(self) -> dict[str, str]:
        """The fields that are set."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name))}

    @property
    def address(self) -> str:
        """The fields as the end of an address, "" without any."""
        return f"?{urlencode(self.given)}" if self.given else ""

    @property
    def further(self) -> str:
        """The same where another field follows."""
        return f"{self.address}&" if self.given else "?"


def following(after: str) -> dict[str, str]:
    """Return what asks a command for the rows after a cursor, nothing for the first ones."""
    return {"after": after} if after else {}
