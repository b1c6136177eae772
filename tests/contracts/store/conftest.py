"""The adapters that must pass the suite: each is a factory of a store on a fresh or an existing base."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from kycmanager.batches import Batch, TableChange
from kycmanager.domain.enums import DocumentStatus, ProfileStatus, RiskLevel, StepStatus, StepType, TemplateStatus
from kycmanager.domain.records import (
    AuditRow,
    Document,
    Event,
    IdempotencyRecord,
    Profile,
    Revocation,
    Step,
    Template,
    TemplateText,
)
from kycmanager.ports import Store
from kycmanager.store.sqlite import SqliteStore

NOW = 1_800_000_000
BIG = (1 << 53) - 1
ODD = "Zażółć 𝕏 👩‍👩‍👧 \u202eevil\x00 'quote\" \\ \n\t{}[]"
NESTED = {"a": {"b": [1, -2.5, True, None, {"c": ODD}]}, "": [], "empty": {}, "big": BIG}


def sqlite(folder: Path) -> Store:
    return SqliteStore(folder / "kyc.db", clock=lambda: NOW)


ADAPTERS: list[Callable[[Path], Store]] = [sqlite]


def template(**change: object) -> Template:
    base = Template(
        id=1, brand="alpha", level=1, code="identity", name="Identity", description="", step_type=StepType.DOCUMENT,
        required=1, status=TemplateStatus.ACTIVE, sort_index=0, requirements={}, form_schema={}, created_time=NOW,
        updated_time=NOW, version=1,
    )  # fmt: skip
    return msgspec.structs.replace(base, **change)


def profile(**change: object) -> Profile:
    base = Profile(
        id=1, customer_id=1001, brand="alpha", status=ProfileStatus.PENDING, current_level=0, required_level=1,
        risk_level=RiskLevel.UNKNOWN, created_time=NOW, updated_time=NOW, version=1,
    )  # fmt: skip
    return msgspec.structs.replace(base, **change)


def step(**change: object) -> Step:
    base = Step(
        id=1, customer_id=1001, kyc_id=1, brand="alpha", template_id=1, template_version=1, level=1, code="identity",
        name="Identity", step_type=StepType.DOCUMENT, required=1, explicit=0, status=StepStatus.REQUIRED, answers={},
        submitted_time=0, created_time=NOW, updated_time=NOW, reviewed_time=0, reviewed_by=0, reason="", comment="",
        expire_time=0, version=1,
    )  # fmt: skip
    return msgspec.structs.replace(base, **change)


def document(**change: object) -> Document:
    base = Document(
        id=1, customer_id=1001, kyc_id=1, step_id=1, brand="alpha", type="passport", status=DocumentStatus.UPLOADED,
        file_id="0d5f0f5e-9b4e-4c39-8c2c-3f9d1f1f7a10", file_name="p.pdf", content_type="application/pdf",
        file_size=1, checksum="00" * 32, created_time=NOW, updated_time=NOW, reviewed_time=0, reviewed_by=0, reason="",
        comment="", expire_time=0, version=1,
    )  # fmt: skip
    return msgspec.structs.replace(base, **change)


def audit(**change: object) -> AuditRow:
    base = AuditRow(
        id=1, time=NOW, brand="alpha", customer_id=1001, kyc_id=1, step_id=0, document_id=0, template_id=0,
        action="step.approve", actor_id=7, actor_session=1, source="api", reason="", comment="", old_status=0,
        new_status=0, details={},
    )  # fmt: skip
    return msgspec.structs.replace(base, **change)


def event(**change: object) -> Event:
    base = Event(seq=1, time=NOW, brand="alpha", customer_id=1001, kyc_id=1, kind="profile.updated", record=profile())
    return msgspec.structs.replace(base, **change)


def key(**change: object) -> IdempotencyRecord:
    base = IdempotencyRecord(scope="1:7:Cmd:k", digest=b"\x00\xff" * 16, record_id=1, record_version=1, time=NOW)
    return msgspec.structs.replace(base, **change)


def revocation(**change: object) -> Revocation:
    base = Revocation(jti="j", session=1, sub=7, not_before=0, expires=NOW + 60)
    return msgspec.structs.replace(base, **change)


def batch(
    *,
    new: tuple[object, ...] = (),
    changed: tuple[object, ...] = (),
    removed: tuple[int, ...] = (),
    counters: dict[str, int] | None = None,
) -> Batch:
    """Sort records into the batch that writes them."""

    def change(kind: type) -> TableChange:
        return TableChange([r for r in new if type(r) is kind], [r for r in changed if type(r) is kind])

    return Batch(
        templates=change(Template),
        template_texts=change(TemplateText).inserted,
        removed_templates=list(removed),
        profiles=change(Profile),
        steps=change(Step),
        documents=change(Document),
        audit=change(AuditRow).inserted,
        events=change(Event).inserted,
        idempotency=change(IdempotencyRecord).inserted,
        revocations=change(Revocation).inserted,
        counters=counters or {},
    )


async def load(store: Store) -> SimpleNamespace:
    """Load a snapshot with its iterables as lists."""
    snapshot = await store.load(lambda _table, _done, _total: None)
    return SimpleNamespace(
        **{
            name: value if name in {"counters", "wallets", "lookup_mark"} else list(value)
            for name, value in msgspec.structs.asdict(snapshot).items()
        }
    )


@pytest.fixture
def make() -> SimpleNamespace:
    """The makers of records, with the odd values they are tried with."""
    return SimpleNamespace(
        template=template, text=TemplateText, profile=profile, step=step, document=document, audit=audit, event=event,
        key=key, revocation=revocation, batch=batch, load=load, NOW=NOW, BIG=BIG, ODD=ODD, NESTED=NESTED,
    )  # fmt: skip


@pytest.fixture(params=ADAPTERS, ids=lambda factory: factory.__name__)
async def reopened(request, tmp_path) -> AsyncIterator[Callable[[], Store]]:
    """A function that closes the store, if one is open, and opens a new one on the same base."""
    current: list[Store] = []

    async def again() -> Store:
        for store in current:
            await store.close()
        store = request.param(tmp_path)
        current[:] = [store]
        await store.open()
        return store

    yield again
    for store in current:
        await store.close()


@pytest.fixture
async def store(reopened) -> Store:
    """An open store on an empty base."""
    return await reopened()
