"""The one way from a page to the data: a command, run for who is signed in."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import msgspec
from msgspec.structs import replace

from kycmanager.commands.execute import Codec, Executor
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.session import Session
from kycmanager.transports import json_wire
from kycmanager.transports.rest.commands import Observe

_CODEC = Codec("json", json_wire.encode)
_OK = 200
_NOBODY = Session(sub=0, type=SessionType.SYSTEM, brands=None)


class Gateway:
    """Runs commands through the executor, which decides all there is to decide; `source` is what the audit tells."""

    def __init__(self, executor: Executor, observe: Observe, *, source: str) -> None:
        self._executor = executor
        self._observe = observe
        self._source = source

    def may(self, session: Session, command: str) -> bool:
        """Tell whether the row of a command lets such a session in at all."""
        return session.local or session.type in self._executor.find(command).access.sessions

    def check(self, session: Session, command: str, data: dict[str, Any]) -> None:
        """Raise what is refused before a command runs: the session, or data of the wrong form."""
        self._executor.admit(self._executor.find(command), session, data, source=self._source)

    async def run(self, session: Session, command: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the data of the reply, for who is signed in; raises KycError."""
        with self._observed(command):
            return await self._run(session, command, data or {})

    async def run_local(self, session: Session | None, command: str, data: dict[str, Any]) -> dict[str, Any]:
        """The same for the rows of sign-ins, which no token reaches; `session` None is somebody not signed in yet."""
        return await self.run(replace(session or _NOBODY, local=True), command, data)

    def read(self, session: Session, command: str, data: dict[str, Any], codec: Codec) -> bytes:
        """Return the reply of a row that reads, as the codec writes it; raises KycError."""
        with self._observed(command):
            results: list[bytes | KycError] = []
            call = self._executor.admit(self._executor.find(command), session, data, source=self._source)
            self._executor.run(call, codec, results.append)
            (result,) = results
            if isinstance(result, KycError):
                raise result
            return result

    @contextmanager
    def _observed(self, command: str) -> Iterator[None]:
        """Tell what a command was answered with and how long it took."""
        began = perf_counter()
        status = _OK
        try:
            yield
        except KycError as error:
            status = error.code.status
            raise
        finally:
            self._observe(command, status, perf_counter() - began)

    async def _run(self, session: Session, name: str, data: dict[str, Any]) -> dict[str, Any]:
        executor = self._executor
        call = executor.admit(executor.find(name), session, data, source=self._source)
        answer: asyncio.Future[bytes | KycError] = asyncio.get_running_loop().create_future()

        def done(result: bytes | KycError) -> None:
            if not answer.done():  # whoever waited may be gone
                answer.set_result(result)

        executor.run(call, _CODEC, done)
        result = await answer
        if isinstance(result, KycError):
            raise result
        found: dict[str, Any] = msgspec.json.decode(result)
        return found
