"""A daemon without doors for the tests: the real core over a real base and a real storage, and a clock to turn."""

import asyncio
import compileall
import gc
import itertools
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from kycmanager.commands.execute import Codec
from kycmanager.config import from_table
from kycmanager.core import Core
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import KycError
from kycmanager.domain.records import AuditRow, Event
from kycmanager.domain.session import Session
from kycmanager.ports import AuditQuery
from kycmanager.store.strand import Committed
from kycmanager.transports.control import run_local
from storagemanager import Owner

NOW = 1_800_000_000
SECRET = "s" * 40
JSON = Codec("json", msgspec.json.encode)


class Caller:
    """Somebody with a session; `call` gives the reply's data or raises the refusal, `refused` expects one."""

    def __init__(self, daemon: "Daemon", session: Session) -> None:
        self._daemon = daemon
        self.session = session

    def start(self, command: str, data: dict[str, Any] | None = None, *, key: str = "") -> asyncio.Future[Any]:
        """Hand a command in; the future gets the decoded reply or the refusal."""
        executor = self._daemon.core.executor
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: bytes | KycError) -> None:
            if isinstance(result, KycError):
                answer.set_exception(result)
            else:
                answer.set_result(msgspec.json.decode(result))

        try:
            call = executor.admit(executor.find(command), self.session, data or {}, source="test", key=key)
        except KycError as error:
            answer.set_exception(error)
            return answer
        executor.run(call, JSON, done)
        return answer

    async def call(self, command: str, data: dict[str, Any] | None = None, *, key: str = "") -> Any:
        """Run a command and wait for its answer."""
        return await self.start(command, data, key=key)

    async def refused(self, command: str, data: dict[str, Any] | None = None, *, key: str = "") -> tuple[int, str, str]:
        """Return (status, name, message) of a refusal."""
        with pytest.raises(KycError) as caught:
            await self.call(command, data, key=key)
        return caught.value.code.status, caught.value.code.wire_name, caught.value.message

    async def faults(self, command: str, data: dict[str, Any]) -> list[tuple[str, str]]:
        """Return (field, code) of every fault of an INVALID_DATA."""
        with pytest.raises(KycError) as caught:
            await self.call(command, data)
        assert caught.value.code.wire_name == "INVALID_DATA"
        assert caught.value.data is not None
        return [(fault["field"], fault["code"]) for fault in caught.value.data["errors"]]


class Daemon:
    """The core as the app opens it, and the shortest ways to what tests need."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.now = NOW
        self.events: list[Event] = []
        self._settings = settings
        self._numbers = itertools.count(1)
        self.core = self._made()

    def _made(self) -> Core:
        config = from_table({"tokens": {"secret": SECRET}, **self._settings}, {})
        core = Core(config, self.folder, lambda *_: None, clock=lambda: self.now)
        core.followers.append(self._follow)
        return core

    def _follow(self, committed: Committed) -> None:
        self.events += committed.events

    async def restart(self) -> None:
        """Close the core and open a new one on the same folder."""
        await self.core.close()
        self.core = self._made()
        await self.core.open()

    # -- callers

    def manager(
        self,
        brands: Collection[str] | None = ("acme",),
        *,
        sub: int = 1,
        type: SessionType = SessionType.MANAGER,  # noqa: A002 - the session's own name for it
    ) -> Caller:
        """Return a manager of these brands, None for all."""
        return Caller(self, Session(sub=sub, type=type, brands=None if brands is None else frozenset(brands)))

    def customer(self, id: int = 7, brand: str = "acme") -> Caller:  # noqa: A002 - the record's own name
        """Return a customer."""
        return self.manager((brand,), sub=id, type=SessionType.CUSTOMER)

    @property
    def boss(self) -> Caller:
        """The manager of all brands."""
        return self.manager(None, sub=1)

    async def local(self, command: str, data: dict[str, Any]) -> Any:
        """Run a row no token reaches."""
        return msgspec.json.decode(await run_local(self.core.executor, command, data))

    # -- what is there

    async def template(self, code: str = "identity", **fields: Any) -> dict[str, Any]:
        """Add a template: a questionnaire of level 1 in brand acme unless told otherwise."""
        data = {"brand": "acme", "code": code, "level": 1, "step_type": 1, **fields}
        return (await self.boss.call("MngAddKycStepTemplate", data))["template"]

    async def step(self, code: str = "identity", customer: int = 7, brand: str = "acme", **fields: Any) -> int:
        """Ask one step of a customer, from a new template where there is none yet; return its id."""
        if self.core.cache.template_by_code(brand, code) is None:
            await self.template(code, brand=brand, **fields)
        data = {"customer_id": customer, "brand": brand, "step_code": code}
        await self.boss.call("MngRequireKycStep", data)
        profile = self.core.cache.profile_of(customer, brand)
        return next(step.id for step in reversed(self.core.cache.steps_of(profile.id)) if step.code == code)

    async def pending(self, code: str = "identity", customer: int = 7, brand: str = "acme", **fields: Any) -> int:
        """Return the id of a step that its customer has handed in."""
        step_id = await self.step(code, customer, brand, **fields)
        await self.customer(customer, brand).call("CustomerSubmitKycStep", {"id": step_id, "answers": {}})
        return step_id

    async def profile(self, customer: int = 7, brand: str = "acme") -> dict[str, Any]:
        """Return the profile of a customer as managers see it."""
        return (await self.boss.call("MngGetKycProfile", {"customer_id": customer, "brand": brand}))["profile"]

    async def shown(self, step_id: int) -> dict[str, Any]:
        """Return a step as managers see it."""
        return (await self.boss.call("MngGetKycStep", {"id": step_id}))["step"]

    async def upload(self, kind: str = "customer", id: int = 7, brand: str = "acme", name: str = "a.txt") -> str:  # noqa: A002
        """Store a small file of an owner; return its uuid."""
        owner = Owner(kind=kind, id=id, brand=brand)
        upload = self.core.storage.receive(
            original_name=name, declared_type="text/plain", owner=owner, purpose="", scope=0
        )
        await upload.write(f"page {next(self._numbers)} of a contract\n".encode())
        return (await upload.finish()).uuid

    async def document(self, customer: int = 7, brand: str = "acme", **fields: Any) -> dict[str, Any]:
        """Attach a fresh file of a customer who has a profile."""
        file_id = await self.upload("customer", customer, brand)
        data = {"customer_id": customer, "brand": brand, "file_id": file_id, **fields}
        return (await self.boss.call("MngAddKycDocument", data))["document"]

    # -- what is left behind

    async def audit(self, **query: Any) -> list[AuditRow]:
        """Return audit rows, oldest first."""
        rows, _, _ = await self.core.store.audit(AuditQuery(**{"brands": None, "limit": 1000, **query}))
        return list(rows)[::-1]

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the base itself."""
        connection = sqlite3.connect(f"file:{self.folder}/bases/kyc.db?mode=ro", uri=True)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    async def traces(self, work: Callable[[], Any]) -> tuple[list[str], list[str]]:
        """Return (actions of the audit rows, kinds of the events) that some work leaves behind."""
        rows, events = len(await self.audit()), len(self.events)
        await work()
        return [row.action for row in (await self.audit())[rows:]], [event.kind for event in self.events[events:]]


@pytest.fixture
async def open_daemon(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Open daemons with settings of one's own."""
    opened: list[Daemon] = []

    async def make(**settings: Any) -> Daemon:
        daemon = Daemon(tmp_path / f"data{len(opened)}", settings)
        opened.append(daemon)
        await daemon.core.open()
        return daemon

    yield make
    for daemon in opened:
        await daemon.core.close()


def pytest_configure(config: pytest.Config) -> None:
    """Compile the packages once: the tests start hundreds of processes, and those of the sandbox write nothing down."""
    if not hasattr(config, "workerinput"):
        for package in ("kycmanager", "storagemanager"):
            compileall.compile_dir(Path(__file__).parents[1] / package, quiet=2)


_ended = itertools.count(1)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Spare the next opening of a core, which collects garbage, a walk over all that was imported: 60 ms each."""
    if next(_ended) % 50 == 0:
        gc.unfreeze()
        gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let what was set aside be looked through once more: what was never closed is told."""
    gc.unfreeze()


@pytest.fixture
async def daemon(open_daemon: Callable[..., Any]) -> Daemon:
    return await open_daemon()
