"""The file of heads: now and then, where the chain of the audit ends, written down outside the base."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from kycmanager.ports import StoreRefused
from kycmanager.store.sqlite.chain import Head

HEADS = Path("audit") / "heads.log"
"""Where it lies in a data folder."""

LINE_BYTES_MAX = 4096
"""No line is longer: the last one is found without reading the file."""

_ACCEPT = "kycmanager audit accept --reason TEXT"


class HeadLine(Struct, frozen=True, omit_defaults=True):
    """One line: at `time` (Unix seconds) the chain ended at `link`, with the audit row `audit`, in `hash`.

    A line with a `note` takes the chain up where the base then ended: an older base was put back on purpose.
    """

    time: int
    audit: int
    link: int
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    note: str = ""


def line_of(head: Head, time: int, note: str = "") -> HeadLine:
    """Return the line that tells of a head."""
    return HeadLine(time, head.audit_id, head.link, head.hash.hex(), note)


class HeadFile:
    """An append-only file of lines, JSON each. A last line without its end was cut off by a crash, and does not count.

    Errors of the disk are OSError; a line that is none of ours is StoreRefused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Tell whether there is the file."""
        return self.path.exists()

    def create(self) -> None:
        """Make the file, empty, durably with its folder; one that is there stays."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        for folder in (self.path.parent, self.path.parent.parent):
            _flush(folder)

    def last(self) -> HeadLine | None:
        """Return the last line, None where there is none."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 2 * LINE_BYTES_MAX))
            lines = file.read().split(b"\n")[:-1]
        return self._line(lines[-1], "the last line") if lines else None

    def lines(self) -> Iterator[HeadLine]:
        """Walk over all lines."""
        with self.path.open("rb") as file:
            for number, text in enumerate(file, 1):
                if text.endswith(b"\n"):
                    yield self._line(text, f"line {number}")

    def append(self, line: HeadLine) -> None:
        """Add a line; it is on the disk on return."""
        text = msgspec.json.encode(line) + b"\n"
        if len(text) > LINE_BYTES_MAX:
            raise ValueError(f"a head has at most {LINE_BYTES_MAX} bytes")
        with self.path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LINE_BYTES_MAX))
            cut = file.read().rpartition(b"\n")[2]
            file.seek(size - len(cut))
            file.truncate()
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def agree(self, last: HeadLine, found: Head | None, base: Path) -> None:
        """Compare the last line with what the base holds at its link; raises StoreRefused."""
        if found is None:
            raise self.ends_before(last, base)
        if (found.audit_id, found.hash.hex()) != (last.audit, last.hash):
            raise StoreRefused(
                f"{base} and {self.path} disagree: the audit up to row {last.audit} is not the one whose head was"
                f" written down at {last.time}. Run `kycmanager audit verify` to see what was changed; if the base was"
                f" put back on purpose, `{_ACCEPT}` tells so.",
            )

    def ends_before(self, last: HeadLine, base: Path) -> StoreRefused:
        """Return the refusal of a base that is older than its last head, or gone."""
        return StoreRefused(
            f"{base} ends before audit row {last.audit}, which {self.path} tells of: its end is cut off, or it is an"
            f" older copy. Put the newest base in its place; if this one was put back on purpose, `{_ACCEPT}` tells"
            " so.",
        )

    def missing(self, base: Path) -> StoreRefused:
        """Return the refusal of a base whose heads are gone."""
        return StoreRefused(
            f"{self.path} is missing beside {base}. Put it back from a copy or a backup; if it is lost,"
            f" `{_ACCEPT}` begins another and tells why.",
        )

    def _line(self, text: bytes, place: str) -> HeadLine:
        try:
            return msgspec.json.decode(text, type=HeadLine)
        except msgspec.MsgspecError:
            raise StoreRefused(
                f"{self.path} is damaged: {place} is no head. Put the file back from a copy or a backup; if there is"
                f" none, move it aside and let `{_ACCEPT}` begin another.",
            ) from None


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
