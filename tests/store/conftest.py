"""A strand over a real base whose commits can be watched, held up and made to fail."""

import asyncio
from types import SimpleNamespace

import pytest

from kycmanager.domain.enums import ProfileStatus, RiskLevel
from kycmanager.domain.records import AuditRow, Profile
from kycmanager.ports import OutcomeUnknown, StoreFull
from kycmanager.store.cache import Cache
from kycmanager.store.replies import Replies
from kycmanager.store.sqlite import SqliteStore
from kycmanager.store.strand import CommandStrand, StrandLimits, Work

NOW = 1_800_000_000


class Watched:
    """The real store; `faults` says what happens at the next commits, `gate` holds them up."""

    def __init__(self, store):
        self._store = store
        self.batches = []
        self.faults = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.reopen_failures = 0
        self.upkeep_fault = None

    async def commit(self, batch):
        await self.gate.wait()
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "full":
            raise StoreFull("full")
        if fault == "lost":
            raise OutcomeUnknown("lost")
        if isinstance(fault, Exception):
            raise fault
        await self._store.commit(batch)
        self.batches.append(batch)
        if fault == "arrived":
            raise OutcomeUnknown("arrived")

    async def reopen(self):
        if self.reopen_failures:
            self.reopen_failures -= 1
            raise OutcomeUnknown("still away")
        return await self._store.reopen()

    async def maintain(self):
        if self.upkeep_fault:
            raise self.upkeep_fault
        await self._store.maintain()


class Line:
    """A strand and its parts. `made` holds what followers were told."""

    def __init__(self, path, **limits):
        self.base = SqliteStore(path, clock=lambda: NOW)
        self.store = Watched(self.base)
        self.cache = Cache()
        self.replies = Replies(1 << 20)
        self.told = []
        self.order = []
        self.strand = CommandStrand(
            self.cache, self.store, self.replies, lambda: NOW, StrandLimits(**limits), self._follow
        )

    def _follow(self, committed):
        self.told.append(committed)
        self.order += [("told", event.kyc_id) for event in committed.events]

    async def open(self):
        await self.base.open()
        self.cache.load(await self.base.load(lambda *_: None))
        self.strand.start()

    async def close(self):
        try:
            await self.strand.close()
        finally:
            await self.base.close()

    def post(self, run):
        """Queue a command; return the future of its result."""
        answer = asyncio.get_running_loop().create_future()
        self.strand.post(Work(run, answer.set_result))
        return answer

    def put(self, customer, status=2):
        """Queue the making of a customer's profile; its result is the profile's id."""

        def run(changes, now):
            kyc_id = changes.next_id("profile")
            put_profile(changes, kyc_id, customer, status, now)
            return kyc_id

        return self.post(run)

    def stored(self):
        return sorted(self.cache.profiles)


def put_profile(changes, kyc_id, customer, status=2, now=NOW, **audit):
    profile = Profile(
        id=kyc_id, customer_id=customer, brand="acme", status=ProfileStatus(status), current_level=0, required_level=0,
        risk_level=RiskLevel.UNKNOWN, created_time=now, updated_time=now, version=1,
    )  # fmt: skip
    changes.put_profile(profile)
    tell(changes, kyc_id, customer, **audit)
    changes.emit("profile.updated", profile, brand="acme", customer_id=customer, kyc_id=kyc_id)
    return profile


def tell(changes, kyc_id, customer, comment=""):
    changes.tell(
        AuditRow(
            id=changes.next_id("audit"), time=NOW, brand="acme", customer_id=customer, kyc_id=kyc_id, step_id=0,
            document_id=0, template_id=0, action="profile.updated", actor_id=1, actor_session=1, source="test",
            reason="", comment=comment, old_status=0, new_status=0, details={},
        )
    )  # fmt: skip


@pytest.fixture
def writes():
    """The ways to write what the strand's tests need."""
    return SimpleNamespace(put_profile=put_profile, tell=tell, NOW=NOW)


@pytest.fixture
async def open_line(tmp_path):
    opened = []

    async def make(**limits):
        line = Line(tmp_path / "kyc.db", **limits)
        await line.open()
        opened.append(line)
        return line

    yield make
    for line in opened:
        await line.close()


@pytest.fixture
async def line(open_line):
    return await open_line()
