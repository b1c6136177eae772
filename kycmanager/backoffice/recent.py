"""What is remembered in bounded memory."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """Values by key; what was kept the longest ago is forgotten first."""

    def keep(self, key: K, value: V, at_most: int) -> None:
        """Remember a value as the newest, and no more than so many in all."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > at_most:
            self.popitem(last=False)
