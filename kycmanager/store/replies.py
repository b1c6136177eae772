"""Encoded replies of hot reads, kept until what they tell of changes, bounded in bytes."""

from collections.abc import Callable, Iterable


class Replies:
    """Prepared reply data by (command, codec) and id; the oldest go first when there are too many bytes."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._tables: dict[tuple[str, str], dict[int, tuple[str, bytes]]] = {}

    def table(self, command: str, codec: str) -> dict[int, tuple[str, bytes]]:
        """Return the live table id -> (brand, data) of one command; a hot path may look into it, never change it."""
        return self._tables.setdefault((command, codec), {})

    def get(self, command: str, codec: str, target_id: int) -> bytes | None:
        """Return the reply data, or None when it is not prepared."""
        kept = self.table(command, codec).get(target_id)
        return kept[1] if kept else None

    def put(self, command: str, codec: str, target_id: int, brand: str, data: bytes) -> None:
        """Keep reply data."""
        table = self.table(command, codec)
        old = table.pop(target_id, None)
        self._bytes += len(data) - (len(old[1]) if old else 0)
        table[target_id] = (brand, data)
        while self._bytes > self._bytes_max:
            self._evict()

    def _evict(self) -> None:
        fullest = max(self._tables.values(), key=len)
        _, dropped = fullest.pop(next(iter(fullest)))
        self._bytes -= len(dropped)

    def drop(self, profile_ids: Iterable[int], step_ids: Callable[[int], Iterable[int]]) -> None:
        """Forget what is told of these profiles and of their steps."""
        for (command, _), table in self._tables.items():
            if not table:
                continue
            for profile_id in profile_ids:
                for target_id in (profile_id,) if command == "MngGetKycProfile" else step_ids(profile_id):
                    kept = table.pop(target_id, None)
                    if kept:
                        self._bytes -= len(kept[1])
