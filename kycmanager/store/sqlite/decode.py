"""Rows of the base as records, sharing between records what is equal to keep a million of them small."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from kycmanager.domain.enums import (
    DocumentStatus,
    ProfileStatus,
    RiskLevel,
    SessionType,
    StepStatus,
    StepType,
    TemplateStatus,
)
from kycmanager.domain.records import (
    NO_OBJECT,
    AuditRow,
    Claim,
    Document,
    Event,
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
from kycmanager.domain.users import Login, User, UserStatus
from kycmanager.domain.verification import SentCode, Verification
from kycmanager.domain.wallets import Callback, Identity, UsedChallenge

V = TypeVar("V")
Rows = Iterable[tuple[Any, ...]]

# A number outside its enumeration is a KeyError: damage, never a guess.
_PROFILE_STATUS = {status.value: status for status in ProfileStatus}
_STEP_STATUS = {status.value: status for status in StepStatus}
_DOCUMENT_STATUS = {status.value: status for status in DocumentStatus}
_TEMPLATE_STATUS = {status.value: status for status in TemplateStatus}
_STEP_TYPE = {kind.value: kind for kind in StepType}
_SESSION_TYPE = {kind.value: kind for kind in SessionType}
_USER_STATUS = {status.value: status for status in UserStatus}
_RISK = {risk.value: risk for risk in RiskLevel}

_brands = msgspec.json.Decoder(tuple[str, ...] | None).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode


class _Line(msgspec.Struct, frozen=True, array_like=True):
    """An event as the feed holds it; its kind tells whose fields the values are."""

    seq: int
    time: int
    brand: str
    customer_id: int
    kyc_id: int
    kind: str
    values: list[Any]


class _Chunk(msgspec.Struct, frozen=True):
    """A row of the feed."""

    fields: dict[str, tuple[str, ...]]
    events: list[_Line]


_chunk = msgspec.json.Decoder(_Chunk).decode

_RECORDS: dict[str, type[Record]] = {
    "template": Template,
    "profile": Profile,
    "step": Step,
    "document": Document,
    "case": Claim,
    "note": Note,
    "identity": Identity,
    "verification": SentCode,
}
"""What the record of an event is, by the first word of its kind ("step.approved" -> "step")."""


class Shared(dict[V, V], Generic[V]):
    """Returns for every value the first equal one it was asked for."""

    def __missing__(self, value: V) -> V:
        self[value] = value
        return value


def _json(text: str) -> dict[str, Any]:
    return NO_OBJECT if text == "{}" else _object(text)


def _answers(kept: str | bytes) -> dict[str, Any] | bytes:
    return _json(kept) if isinstance(kept, str) else kept


def templates(rows: Rows) -> Iterator[Template]:
    """Read rows of `template`."""
    for row in rows:
        yield Template(
            id=row[0],
            brand=row[1],
            level=row[2],
            code=row[3],
            name=row[4],
            description=row[5],
            step_type=_STEP_TYPE[row[6]],
            required=row[7],
            status=_TEMPLATE_STATUS[row[8]],
            sort_index=row[9],
            created_time=row[10],
            updated_time=row[11],
            version=row[12],
            requirements=_json(row[13]),
            form_schema=_json(row[14]),
        )


def template_texts(rows: Rows) -> Iterator[TemplateText]:
    """Read rows of `template_text`."""
    for row in rows:
        yield TemplateText(row[0], row[1], _json(row[2]), _json(row[3]))


class Decoder:
    """Reads the big tables in the order profiles, steps, documents: later records share the objects of earlier ones."""

    def __init__(self) -> None:
        self._texts: Shared[str] = Shared()
        self._numbers: Shared[int] = Shared()
        self._profiles: dict[int, Profile] = {}

    def profiles(self, rows: Rows) -> Iterator[Profile]:
        """Read rows of `profile`."""
        texts, numbers = self._texts, self._numbers
        for row in rows:
            profile = Profile(
                row[0],
                row[1],
                texts[row[2]],
                _PROFILE_STATUS[row[3]],
                row[4],
                row[5],
                _RISK[row[6]],
                numbers[row[7]],
                numbers[row[8]],
                row[9],
            )
            self._profiles[profile.id] = profile
            yield profile

    def steps(self, rows: Rows) -> Iterator[Step]:
        """Read rows of `step`; the owner and the brand are those of its profile."""
        texts, numbers, profiles = self._texts, self._numbers, self._profiles
        for row in rows:
            profile = profiles[row[1]]
            yield Step(
                row[0],
                profile.customer_id,
                profile.id,
                profile.brand,
                numbers[row[2]],
                row[3],
                row[4],
                texts[row[5]],
                texts[row[6]],
                _STEP_TYPE[row[7]],
                row[8],
                row[9],
                _STEP_STATUS[row[10]],
                _answers(row[20]),
                numbers[row[11]],
                numbers[row[12]],
                numbers[row[13]],
                numbers[row[14]],
                numbers[row[15]],
                texts[row[16]],
                row[17],
                numbers[row[18]],
                row[19],
            )

    def documents(self, rows: Rows) -> Iterator[Document]:
        """Read rows of `document`; the owner and the brand are those of its profile."""
        texts, numbers, profiles = self._texts, self._numbers, self._profiles
        for row in rows:
            profile = profiles[row[1]]
            yield Document(
                row[0],
                profile.customer_id,
                profile.id,
                row[2],
                profile.brand,
                texts[row[3]],
                _DOCUMENT_STATUS[row[4]],
                row[5],
                row[6],
                texts[row[7]],
                row[8],
                row[9],
                numbers[row[10]],
                numbers[row[11]],
                numbers[row[12]],
                numbers[row[13]],
                texts[row[14]],
                row[15],
                numbers[row[16]],
                row[17],
            )

    def notes(self, rows: Rows) -> Iterator[Note]:
        """Read rows of `note`; the owner and the brand are those of its profile."""
        for row in rows:
            profile = self._profiles[row[1]]
            yield Note(
                row[0], profile.id, profile.customer_id, profile.brand, row[2], row[3], row[4], _answers(row[6]), row[5]
            )


def claims(rows: Rows) -> Iterator[Claim]:
    """Read rows of `claim`."""
    for row in rows:
        yield Claim(*row[:5])


def filters(rows: Rows) -> Iterator[SavedFilter]:
    """Read rows of `queue_filter`."""
    for row in rows:
        yield SavedFilter(row[0], row[1], row[2], _json(row[4]), row[3])


def identities(rows: Rows) -> Iterator[Identity]:
    """Read rows of `identity`."""
    for row in rows:
        yield Identity(*row[:-1])


def callbacks(rows: Rows) -> Iterator[Callback]:
    """Read rows of `callback`."""
    for row in rows:
        yield Callback(*row[:-1])


def challenges(rows: Rows) -> Iterator[UsedChallenge]:
    """Read rows of `challenge`."""
    for row in rows:
        yield UsedChallenge(*row[:-1])


def verifications(rows: Rows) -> Iterator[Verification]:
    """Read rows of `verification`."""
    for row in rows:
        yield Verification(*row[:-1])


def idempotency(rows: Rows) -> Iterator[IdempotencyRecord]:
    """Read rows of `idempotency`."""
    for row in rows:
        yield IdempotencyRecord(scope=row[0], digest=row[1], record_id=row[2], record_version=row[3], time=row[4])


def revocations(rows: Rows) -> Iterator[Revocation]:
    """Read rows of `revocation`."""
    for row in rows:
        yield Revocation(jti=row[0], session=row[1], sub=row[2], not_before=row[3], expires=row[4])


def users(rows: Rows) -> Iterator[User]:
    """Read rows of `user`."""
    for row in rows:
        yield User(
            id=row[0],
            name=row[1],
            role=_SESSION_TYPE[row[2]],
            brands=_brands(row[3]),
            status=_USER_STATUS[row[4]],
            password=row[5],
            totp=row[6],
            totp_counter=row[7],
            created_time=row[8],
            updated_time=row[9],
            version=row[10],
        )


def logins(rows: Rows) -> Iterator[Login]:
    """Read rows of `login`."""
    for row in rows:
        yield Login(
            id=row[0],
            cookie_hash=row[1],
            user_id=row[2],
            session=_SESSION_TYPE[row[3]],
            sub=row[4],
            brands=_brands(row[5]),
            jti=row[6],
            issued=row[7],
            created_time=row[8],
            used_time=row[9],
            expires=row[10],
            address=row[11],
            agent=row[12],
        )


def audit(row: tuple[Any, ...]) -> AuditRow:
    """Read a row of `audit`."""
    return AuditRow(
        id=row[0],
        time=row[1],
        brand=row[2],
        customer_id=row[3],
        kyc_id=row[4],
        step_id=row[5],
        document_id=row[6],
        template_id=row[7],
        action=row[8],
        actor_id=row[9],
        actor_session=row[10],
        source=row[11],
        reason=row[12],
        comment=row[13],
        old_status=row[14],
        new_status=row[15],
        details=_json(row[16]),
    )


def events(chunk: str, *, after: int, limit: int) -> list[Event]:
    """Read the events of one row of `feed` with a number above `after`, the first `limit` of them."""
    held = _chunk(chunk)
    return [
        Event(line.seq, line.time, line.brand, line.customer_id, line.kyc_id, line.kind, _record(line, held.fields))
        for line in [line for line in held.events if line.seq > after][:limit]
    ]


def events_of(chunk: str, kinds: Collection[str], *, after: int) -> list[Event]:
    """Read the events of one row of `feed` that are of these kinds, those with a number above `after`."""
    held = _chunk(chunk)
    return [
        Event(line.seq, line.time, line.brand, line.customer_id, line.kyc_id, line.kind, _record(line, held.fields))
        for line in held.events
        if line.kind in kinds and line.seq > after
    ]


def _record(line: _Line, fields: dict[str, tuple[str, ...]]) -> Record:
    noun = line.kind.partition(".")[0]
    return msgspec.convert(dict(zip(fields[noun], line.values, strict=True)), _RECORDS[noun])
