"""Records as the rows that the statements of `write` bind, in the order of `columns`."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import astuple

from kycmanager.domain.records import (
    AuditRow,
    Claim,
    Document,
    Event,
    FileKey,
    IdempotencyRecord,
    Note,
    Profile,
    Record,
    Revocation,
    SavedFilter,
    Step,
    Template,
    TemplateText,
)
from kycmanager.domain.users import Login, User
from kycmanager.domain.verification import SentCode, Verification
from kycmanager.domain.wallets import Callback, Identity, UsedChallenge

Row = tuple[Any, ...]

CHUNK_EVENTS = 256
"""Events in one row of the feed at most: few rows to write, and not much to read for one event."""

FEED_NOUNS: dict[type[Record], str] = {
    Template: "template",
    Profile: "profile",
    Step: "step",
    Document: "document",
    Claim: "case",
    Note: "note",
    Identity: "identity",
    SentCode: "verification",
}
"""The first word of the kind of an event with such a record."""

_encode = msgspec.json.Encoder().encode

# attrgetter makes the whole tuple in C; `.real` turns an enum into the plain int that sqlite3 binds without a search
# for an adapter; JSON columns come last so that they can be appended.

_TEMPLATE = attrgetter(
    "id", "brand", "level", "code", "name", "description", "step_type.real", "required", "status.real", "sort_index",
    "created_time", "updated_time", "version",
)  # fmt: skip
_STEP = attrgetter(
    "id", "kyc_id", "template_id", "template_version", "level", "code", "name", "step_type.real", "required.real",
    "explicit.real", "status.real", "submitted_time", "created_time", "updated_time", "reviewed_time", "reviewed_by",
    "reason", "comment", "expire_time", "version",
)  # fmt: skip
_AUDIT = attrgetter(
    "id", "time", "brand", "customer_id", "kyc_id", "step_id", "document_id", "template_id", "action", "actor_id",
    "actor_session.real", "source", "reason", "comment", "old_status.real", "new_status.real",
)  # fmt: skip

profile: Callable[[Profile], Row] = attrgetter(
    "id", "customer_id", "brand", "status.real", "current_level", "required_level", "risk_level.real",
    "created_time", "updated_time", "version",
)  # fmt: skip
document: Callable[[Document], Row] = attrgetter(
    "id", "kyc_id", "step_id", "type", "status.real", "file_id", "file_name", "content_type", "file_size", "checksum",
    "created_time", "updated_time", "reviewed_time", "reviewed_by", "reason", "comment", "expire_time", "version",
)  # fmt: skip
owner: Callable[[Step | Document], Row] = attrgetter("customer_id", "brand")
idempotency: Callable[[IdempotencyRecord], Row] = attrgetter("scope", "digest", "record_id", "record_version", "time")
file_key: Callable[[FileKey], Row] = attrgetter("file_id", "kyc_id", "wrapped")
claim: Callable[[Claim], Row] = attrgetter("kyc_id", "assignee", "assignee_session.real", "claimed_time", "lease_until")
identity: Callable[[Identity], Row] = astuple
callback: Callable[[Callback], Row] = astuple
challenge: Callable[[UsedChallenge], Row] = astuple
verification: Callable[[Verification], Row] = astuple
revocation: Callable[[Revocation], Row] = attrgetter("jti", "session.real", "sub", "not_before", "expires")


def _json(value: dict[str, Any]) -> str:
    """Return a JSON object as text; most are empty."""
    return _encode(value).decode() if value else "{}"


def template(record: Template) -> Row:
    """Return the columns of a template."""
    return (*_TEMPLATE(record), _json(record.requirements), _json(record.form_schema))


def template_text(record: TemplateText) -> Row:
    """Return the columns of a template's text."""
    return (record.template_id, record.version, _json(record.requirements), _json(record.form_schema))


def step(record: Step) -> Row:
    """Return the columns of a step; sealed answers stand there as they are (a bytearray: see `sums.sealed`)."""
    answers = record.answers
    return (*_STEP(record), _json(answers) if isinstance(answers, dict) else bytearray(answers))


def audit(record: AuditRow) -> Row:
    """Return the columns of an audit row."""
    return (*_AUDIT(record), _json(record.details))


def note(record: Note) -> Row:
    """Return the columns of a note; sealed content stands there as it is."""
    content = record.content
    return (
        *(record.id, record.kyc_id, record.time, record.author_id, record.author_session.real, record.version),
        _json(content) if isinstance(content, dict) else content,
    )


def saved_filter(record: SavedFilter) -> Row:
    """Return the columns of a filter."""
    return (record.session.real, record.sub, record.name, record.updated_time, _json(record.filter))


def user(record: User) -> Row:
    """Return the columns of a user."""
    return (
        *(record.id, record.name, record.role.real, _encode(record.brands).decode(), record.status.real),
        *(record.password, record.totp, record.totp_counter),
        *(record.created_time, record.updated_time, record.version),
    )


def login(record: Login) -> Row:
    """Return the columns of a sign-in."""
    return (
        *(record.id, record.cookie_hash, record.user_id, record.session.real, record.sub),
        *(_encode(record.brands).decode(), record.jti, record.issued),
        *(record.created_time, record.used_time, record.expires, record.address, record.agent),
    )


def events(records: Sequence[Event]) -> list[Row]:
    """Return the rows of the feed that hold these events, which follow one another."""
    chunks = [records[first : first + CHUNK_EVENTS] for first in range(0, len(records), CHUNK_EVENTS)]
    return [(chunk[-1].seq, chunk[0].seq, _chunk(chunk)) for chunk in chunks]


def _chunk(events: Sequence[Event]) -> str:
    """Return the events as one JSON text; it names the fields of each kind of record once, not in every event."""
    lines = [
        (each.seq, each.time, each.brand, each.customer_id, each.kyc_id, each.kind, astuple(each.record))
        for each in events
    ]
    fields = {FEED_NOUNS[kind]: kind.__struct_fields__ for kind in {type(each.record) for each in events}}
    return _encode({"fields": fields, "events": lines}).decode()
