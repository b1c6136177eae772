"""Has the index of answers made as the settings want it: anew under a key of its own, in small parts, or not at all."""

import asyncio
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any, Protocol

from kycmanager.desk_ports import LookupRecords
from kycmanager.domain.errors import Code, KycError
from kycmanager.ports import Progress
from kycmanager.vault.custody import Custody
from kycmanager.vault.vault import NO_LOOKUP_KEY

PROFILES_AT_ONCE = 50
"""Profiles indexed in one transaction: one to three milliseconds of opening and hashing answers."""

Run = Callable[[str, dict[str, Any]], Coroutine[Any, Any, object]]
"""`run(command, data)`: run a local command on the strand."""


class Base(Protocol):
    """The base of the records."""

    async def scrub(self, work: Callable[[], Coroutine[Any, Any, None]], *, whole: bool) -> None:
        """Run `work` so that what it overwrites leaves no trace in the file."""
        ...


class AnswerIndex:
    """Looks after the index; may be cut off at any moment, and goes on from where the base tells."""

    def __init__(self, lookup: LookupRecords, custody: Custody, base: Base, run: Run, *, sealing: bool) -> None:
        self.lookup = lookup
        self._custody = custody
        self._base = base
        self._run = run
        self._sealing = sealing
        self._made = b""
        """A key that no index was begun with yet."""
        self._doubtful = False
        """It is not known whether the last part is in the base."""
        self._tidy = False

    async def follow(self, progress: Progress) -> None:
        """Do all there is to do; called again and again. Raises KycError, StoreFull or OutcomeUnknown: then later."""
        try:
            while due := self._due():
                if due == "next":
                    await self._go_on(progress)
                else:
                    await self._begin(due)
        except KycError as error:
            self._doubtful |= error.code is Code.OUTCOME_UNKNOWN
            raise
        if not self._tidy:
            await self._forget_keys()
            self._tidy = True

    def _due(self) -> str:
        if self._doubtful:
            return "begin" if self.lookup.fields else "drop"
        return self.lookup.due

    async def _begin(self, action: str) -> None:
        key = NO_LOOKUP_KEY
        if action == "begin" and self._sealing:
            key = self._made = self._made or await self._custody.new_lookup_key()

        async def clear() -> None:
            await self._run("SysIndexAnswers", {"action": action, "key": key.hex()})

        await self._base.scrub(clear, whole=False)
        self._made, self._doubtful = b"", False
        await self._forget_keys()

    async def _forget_keys(self) -> None:
        mark = self.lookup.mark
        await self._custody.keep_lookup_key(mark.key if mark is not None else NO_LOOKUP_KEY)

    async def _go_on(self, progress: Progress) -> None:
        """Index the next profiles; for as long as that takes others have the processor and the strand."""
        began = perf_counter()
        await self._run("SysIndexAnswers", {"action": "next", "limit": PROFILES_AT_ONCE})
        progress("answers", *self.lookup.progress())
        await asyncio.sleep(perf_counter() - began)
