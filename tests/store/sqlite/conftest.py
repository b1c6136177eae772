"""Small batches and helpers for the tests of the SQLite adapter."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kycmanager.batches import Batch, TableChange
from kycmanager.domain.enums import ProfileStatus, RiskLevel
from kycmanager.domain.records import AuditRow, Event, IdempotencyRecord, Profile
from kycmanager.store.sqlite import SqliteStore

NOW = 1_800_000_000


def profile(number: int, version: int = 1) -> Profile:
    return Profile(
        id=number, customer_id=1000 + number, brand="alpha", status=ProfileStatus.PENDING, current_level=0,
        required_level=1, risk_level=RiskLevel.LOW, created_time=NOW, updated_time=NOW, version=version,
    )  # fmt: skip


def audit(number: int, comment: str = "") -> AuditRow:
    return AuditRow(
        id=number, time=NOW, brand="alpha", customer_id=1000 + number, kyc_id=number, step_id=0, document_id=0,
        template_id=0, action="profile.add", actor_id=7, actor_session=1, source="api", reason="", comment=comment,
        old_status=0, new_status=2, details={},
    )  # fmt: skip


def batch(*numbers: int, comment: str = "", keys: int = 0) -> Batch:
    """New profiles, each with its audit row and event; ids, audit ids and seqs are the same numbers."""

    def nothing() -> TableChange:
        return TableChange([], [])

    last = max(numbers, default=0) + 1
    return Batch(
        templates=nothing(),
        template_texts=[],
        removed_templates=[],
        profiles=TableChange([profile(n) for n in numbers], []),
        steps=nothing(),
        documents=nothing(),
        audit=[audit(n, comment) for n in numbers],
        events=[
            Event(
                seq=n, time=NOW, brand="alpha", customer_id=1000 + n, kyc_id=n, kind="profile.added", record=profile(n)
            )
            for n in numbers
        ],
        idempotency=[
            IdempotencyRecord(scope=str(n), digest=b"d", record_id=n, record_version=1, time=1) for n in range(keys)
        ],
        revocations=[],
        counters={"profile": last, "audit": last, "event": last} if numbers else {},
    )


def silent(_table: str, _done: int, _total: int) -> None:
    """A progress that nobody looks at."""


def program(text: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a Python program that can import this file as `kit`."""
    head = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import conftest as kit\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + text, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def kit() -> SimpleNamespace:
    return SimpleNamespace(profile=profile, audit=audit, batch=batch, silent=silent, program=program, NOW=NOW)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "kyc.db"


@pytest.fixture
async def store(path):
    store = SqliteStore(path, clock=lambda: NOW)
    await store.open()
    yield store
    await store.close()
