"""What was decided of files in which something active was found: which are held back, and until when."""

import sqlite3
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from storagemanager.base import Base
from storagemanager.errors import StorageError, StorageErrorCode
from storagemanager.record import check_of

_INSERT = """
INSERT INTO verdicts (uuid, state, findings, decided_time, confirmed, row_check) VALUES (?, ?, ?, ?, ?, ?)
"""
_UPDATE = """
UPDATE verdicts SET state = ?, findings = ?, decided_time = ?, confirmed = ?, row_check = ? WHERE uuid = ?
"""
_SELECT = "SELECT uuid, state, findings, decided_time, confirmed, row_check FROM verdicts"
_SELECT_ONE = f"{_SELECT} WHERE uuid = ?"
_SELECT_HELD = f"{_SELECT} WHERE state NOT IN ('accepted', 'released')"
_SELECT_DECIDED = f"{_SELECT} WHERE confirmed = 0"


class FileState(StrEnum):
    """Whether the content of a file may be fetched: QUARANTINED and REFUSED may not."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    RELEASED = "released"
    REFUSED = "refused"


class Policy(StrEnum):
    """What becomes of a file with active content."""

    REFUSE = "refuse"
    QUARANTINE = "quarantine"
    ACCEPT = "accept"


class Verdict(Struct, frozen=True, kw_only=True):
    """The state of a file with findings. A decision counts at once, and is confirmed when it is known elsewhere too."""

    state: FileState = FileState.ACCEPTED
    findings: tuple[str, ...] = ()
    decided_time: int = 0
    confirmed: int = 1

    @property
    def held(self) -> bool:
        """Whether the content is held back."""
        return self.state in _HELD


_HELD = frozenset({FileState.QUARANTINED, FileState.REFUSED})
NOTHING_FOUND = Verdict()
"""The verdict of every file without a row."""

MOVES: dict[FileState, frozenset[FileState]] = {
    FileState.QUARANTINED: frozenset({FileState.RELEASED, FileState.REFUSED}),
    FileState.RELEASED: frozenset({FileState.REFUSED}),
}
"""What may be decided: a released file may be refused after a later finding; refused is final."""


class Verdicts:
    """The table of verdicts. Files that are held back are all in memory: none is served because a row was not read."""

    def __init__(self, base: Base, clock: Callable[[], int]) -> None:
        self._base = base
        self._clock = clock
        self._held: dict[str, Verdict] = {}

    async def load(self) -> list[str]:
        """Read what is held back; return the uuids whose row is damaged: they are held back too."""
        rows = await self._base.read(lambda connection: connection.execute(_SELECT_HELD).fetchall())
        damaged = []
        for row in rows:
            try:
                uuid, verdict = _read(row)
            except StorageError:
                damaged.append(str(row[0]))
                self._held[str(row[0])] = Verdict(state=FileState.QUARANTINED)
            else:
                self._held[uuid] = verdict
        return damaged

    def held(self, uuid: str) -> bool:
        """Tell whether the content of a file is held back."""
        return uuid in self._held

    async def get(self, uuid: str) -> Verdict:
        """Return the verdict of a file. BROKEN for a damaged row."""
        row = await self._base.read(lambda connection: connection.execute(_SELECT_ONE, (uuid,)).fetchone())
        return NOTHING_FOUND if row is None else _read(row)[1]

    def remember(self, uuid: str, verdict: Verdict) -> None:
        """Take note of what was committed."""
        if verdict.held:
            self._held[uuid] = verdict
        else:
            self._held.pop(uuid, None)

    def forget(self, uuids: Iterable[str]) -> None:
        """Forget files that are gone; their rows went with them."""
        for uuid in uuids:
            self._held.pop(uuid, None)

    async def decide(self, uuid: str, state: FileState) -> Verdict:
        """Move a file to a state and return the verdict there was; INVALID where no such move is allowed.

        The decision counts at once, and is not confirmed yet.
        """

        def work(connection: sqlite3.Connection) -> tuple[Verdict, Verdict]:
            row = connection.execute(_SELECT_ONE, (uuid,)).fetchone()
            old = NOTHING_FOUND if row is None else _read(row)[1]
            if state not in MOVES.get(old.state, ()):
                raise StorageError(StorageErrorCode.INVALID, "decision", f"the file is {old.state.value}")
            new = replace(old, state=state, decided_time=self._clock(), confirmed=0)
            _put(connection, uuid, new)
            return old, new

        old, new = await self._base.write(work)
        self.remember(uuid, new)
        return old

    async def put_back(self, uuid: str, state: FileState) -> None:
        """Give a file the state it had before a decision that came to nothing; NOT_FOUND where there is no verdict."""

        def work(connection: sqlite3.Connection) -> Verdict:
            row = connection.execute(_SELECT_ONE, (uuid,)).fetchone()
            new = replace(NOTHING_FOUND if row is None else _read(row)[1], state=state, confirmed=1)
            _put(connection, uuid, new)
            return new

        self.remember(uuid, await self._base.write(work))

    async def confirm(self, uuids: Iterable[str]) -> None:
        """Note that these decisions are known elsewhere too; a row that is damaged or gone stays as it is."""
        wanted = list(uuids)

        def work(connection: sqlite3.Connection) -> None:
            for uuid in wanted:
                row = connection.execute(_SELECT_ONE, (uuid,)).fetchone()
                if row is not None:
                    _put(connection, uuid, replace(_read(row)[1], confirmed=1))

        await self._base.write(work)

    async def unconfirmed(self) -> dict[str, Verdict]:
        """Return the decisions that are not confirmed, by uuid; a damaged row is left out."""
        rows = await self._base.read(lambda connection: connection.execute(_SELECT_DECIDED).fetchall())
        found = {}
        for row in rows:
            try:
                uuid, verdict = _read(row)
            except StorageError:
                continue
            found[uuid] = verdict
        return found


def insert_verdict(connection: sqlite3.Connection, uuid: str, verdict: Verdict) -> None:
    """Add the verdict of a new file, in the transaction that adds the file."""
    connection.execute(_INSERT, (uuid, *_values(verdict), _check(uuid, verdict)))


def _put(connection: sqlite3.Connection, uuid: str, verdict: Verdict) -> None:
    changed = connection.execute(_UPDATE, (*_values(verdict), _check(uuid, verdict), uuid))
    if not changed.rowcount:
        raise StorageError(StorageErrorCode.NOT_FOUND, "file", f"there is no verdict on {uuid!r}")


def _values(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.state.value, " ".join(verdict.findings), verdict.decided_time, verdict.confirmed


def _check(uuid: str, verdict: Verdict) -> str:
    return check_of((uuid, *_values(verdict)))


def _read(row: tuple[Any, ...]) -> tuple[str, Verdict]:
    uuid, state, findings, decided_time, confirmed, check = row
    if check_of((uuid, state, findings, decided_time, confirmed)) != check:
        raise StorageError(StorageErrorCode.BROKEN, "file", f"the verdict on {uuid!r} is damaged")
    verdict = Verdict(
        state=FileState(state), findings=tuple(findings.split()), decided_time=decided_time, confirmed=confirmed
    )
    return uuid, verdict
