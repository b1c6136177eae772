"""Who is pushed what: the channels of an event, its type, and its record as managers and customers see it."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from kycmanager.commands import views
from kycmanager.commands.views import CodeView, CustomerDocument, CustomerStep, NoteView, StepView
from kycmanager.domain.enums import ProfileStatus
from kycmanager.domain.errors import KycError
from kycmanager.domain.records import Claim, Document, Event, Note, Profile, Step, Template
from kycmanager.domain.verification import SentCode
from kycmanager.domain.wallets import Identity
from kycmanager.ports import Records

EVENT = "kyc:event"
TRIGGERS = {"step.approved": "kyc.step.approved", "step.rejected": "kyc.step.rejected"}
"""The events a CRM's workflow waits for, pushed besides (manager API, section 1)."""

ADDED, UPDATED, DELETED, ARCHIVED = 0, 1, 2, 4
"""The types of pushes; 3, restore, is not used: what is taken back here is an update."""

WARNING = 20
"""The level of a notice that something has ended."""

_notices = itertools.count(1)
_TYPES = {
    "template.added": ADDED,
    "template.deleted": DELETED,
    "template.archived": ARCHIVED,
    "document.added": ADDED,
    "document.deleted": DELETED,
    "note.added": ADDED,
    "identity.created": ADDED,
    "identity.removed": DELETED,
    "verification.code": ADDED,
}
_CHANNEL = re.compile(r"kyc(?::[A-Za-z0-9_.-]{1,64}(?::[1-9][0-9]{0,15})?)?", re.ASCII)


Shown = (
    StepView | CustomerStep | CustomerDocument | Template | Profile | Document | Claim | NoteView | Identity | CodeView
)
"""A record as it is told."""


class Told(Struct, frozen=True, kw_only=True):
    """The data of a push."""

    seq: int
    kind: str
    brand: str
    customer_id: int
    kyc_id: int
    record: Shown


class Trigger(Struct, frozen=True, kw_only=True):
    """The data of a workflow trigger: where the customer stands after the decision."""

    seq: int
    customer_id: int
    brand: str
    code: str
    level: int
    kyc_status: ProfileStatus
    kyc_current_level: int


def notice(error: KycError, *, description: str, user_id: int, now: int) -> list[Any]:
    """Return a notice to whoever follows a channel: what happened to it, as a warning (manager API, section 1)."""
    token = f"kyc-{now}-{next(_notices)}"
    code = error.code
    return ["n", error.message, description, token, code.status, WARNING, user_id, now, {}, code.wire_name]


def means_something(channel: str) -> bool:
    """Tell whether events can come through a channel; all others are accepted and forgotten."""
    return _CHANNEL.fullmatch(channel) is not None


def channels_of(event: Event) -> tuple[str, str, str]:
    """Return the channels an event goes through."""
    brand = f"kyc:{event.brand}"
    return "kyc", brand, f"{brand}:{event.customer_id}"


def push_type(event: Event) -> int:
    """Return what has happened to the record: 0 add, 1 update, 2 delete, 3 restore, 4 archive."""
    if event.kind == "step.required" and event.record.version == 1:
        return ADDED
    return _TYPES.get(event.kind, UPDATED)


def told(records: Records, event: Event, *, customer: bool) -> Told:
    """Return an event as a manager or its customer sees it."""
    return Told(
        seq=event.seq,
        kind=event.kind,
        brand=event.brand,
        customer_id=event.customer_id,
        kyc_id=event.kyc_id,
        record=_record(records, event, customer=customer),
    )


def is_internal(event: Event) -> bool:
    """Tell whether an event is for managers only, also when it is about a customer who follows the own channel."""
    return isinstance(event.record, Claim | Note | Identity | SentCode)


def _record(records: Records, event: Event, *, customer: bool) -> Shown:
    record = event.record
    if isinstance(record, Step):
        return views.customer_step(records, record) if customer else views.step_view(records, record)
    if customer and isinstance(record, Document):
        return views.customer_document(records, record)
    if isinstance(record, SentCode):
        return views.code_view(records, record)
    return views.note_view(records, record) if isinstance(record, Note) else record


def with_profiles(events: Sequence[Event]) -> Iterator[tuple[Event, Profile | None]]:
    """Give each event with the profile as the same command left it, which is told next after a decision."""
    for place, event in enumerate(events):
        after = events[place + 1] if place + 1 < len(events) else None
        if after is not None and after.kyc_id == event.kyc_id and isinstance(after.record, Profile):
            yield event, after.record
        else:
            yield event, None


def trigger(event: Event, profile: Profile | None) -> Trigger:
    """Return the workflow trigger of a decided step; `profile` as the decision left it."""
    step = event.record
    assert isinstance(step, Step)
    return Trigger(
        seq=event.seq,
        customer_id=event.customer_id,
        brand=event.brand,
        code=step.code,
        level=step.level,
        kyc_status=profile.status if profile else ProfileStatus.NONE,
        kyc_current_level=profile.current_level if profile else 0,
    )
