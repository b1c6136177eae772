"""Encryption at rest, for the operator: which key seals how much, rotating the master key, sealing what is in clear."""

from collections import Counter
from contextlib import suppress
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Command,
    FileId,
    Id,
    Kind,
    Prepare,
    PrepareContext,
    QueryContext,
    Reply,
    Request,
    WriteContext,
    local_row,
)
from kycmanager.commands.system import Nothing
from kycmanager.domain.errors import KycError
from kycmanager.domain.files import CUSTOMER
from kycmanager.domain.records import FileFacts
from kycmanager.domain.users import tells_secret
from kycmanager.key_ports import KeyCount

RECORDS_AT_ONCE = 500


Ids = Annotated[list[Id], Meta(max_length=RECORDS_AT_ONCE)]


class HoldFiles(Request, frozen=True, kw_only=True):
    """Attached files whose data keys their profiles are to hold from now on."""

    file_ids: Annotated[list[FileId], Meta(max_length=RECORDS_AT_ONCE)]


class SealRecords(Request, frozen=True, kw_only=True):
    """Records whose contents are to be sealed where they are in clear."""

    steps: Ids = []
    notes: Ids = []
    users: Ids = []


class RecordKeys(Request, frozen=True, kw_only=True):
    """What was done with the keys, for the audit."""

    action: Literal["keys.rotation", "keys.rotated"]
    details: dict[str, Any]


class KeysReply(Reply, frozen=True, kw_only=True):
    """The master keys by id, how many keys each seals, and how many files those seal."""

    sealing: bool
    place: str
    masters: list[KeyCount]
    destroyed: int
    waiting: int
    held: int


class RotatedReply(Reply, frozen=True, kw_only=True):
    """The id of the master key that seals now, how many keys were sealed anew, and the ids of those not needed now."""

    current: str
    keys: int
    old: list[str]
    place: str


class Unsealed(Struct, frozen=True):
    """What could not be sealed, and why."""

    object: str
    fault: str


class SealedReply(Reply, frozen=True, kw_only=True):
    """How much was in clear and is sealed now, and what could not be."""

    steps: int
    notes: int
    users: int
    events: int
    files: int
    faults: list[Unsealed]


async def list_keys(context: QueryContext, _request: Nothing, _target: None) -> KeysReply:
    """Count what each key seals."""
    found = await context.keys.list()
    return KeysReply(
        sealing=found.sealing,
        place=found.place,
        masters=found.masters,
        destroyed=found.destroyed,
        waiting=found.waiting,
        held=found.held,
    )


async def rotate(context: QueryContext, _request: Nothing, _target: None) -> RotatedReply:
    """Seal every key by a new master key."""
    done = await context.keys.rotate(context.progress)
    return RotatedReply(current=done.current, keys=done.keys, old=done.old, place=done.place)


async def seal_old(context: QueryContext, _request: Nothing, _target: None) -> SealedReply:
    """Seal what was written in clear."""
    done = await context.keys.seal_old(context.progress)
    faults = [Unsealed(name, fault) for name, fault in done.faults]
    return SealedReply(
        steps=done.steps, notes=done.notes, users=done.users, events=done.events, files=done.files, faults=faults
    )


async def look_up(context: PrepareContext, request: HoldFiles) -> dict[str, FileFacts]:
    """Look the files up, before the strand."""
    return await context.files.facts(request.file_ids)


def hold_files(context: WriteContext, _request: HoldFiles, _target: None) -> Accepted:
    """Have the profile that a file is attached to hold its data key."""
    changes = context.changes
    held = 0
    facts: dict[str, FileFacts] = context.facts
    for file in facts.values():
        document = changes.document_with_file(file.file_id)
        profile = changes.profile_of(file.owner_id, file.brand) if file.owner_kind == CUSTOMER else None
        kyc_id = document.kyc_id if document else profile.id if profile else 0
        if kyc_id and file.data_key:
            with suppress(KycError):  # a profile that was erased takes nothing more
                changes.hold_file(file, kyc_id)
                held += 1
    if held:
        trail.audit(context, "keys.held", brand="", details={"files": held})
    return ACCEPTED


def seal_records(context: WriteContext, request: SealRecords, _target: None) -> Accepted:
    """Keep records as they are, but sealed; nothing is told, for nothing changes."""
    changes = context.changes
    sealed: Counter[str] = Counter()
    for step_id in request.steps:
        step = changes.step(step_id)
        if step is not None and step.answers and isinstance(step.answers, dict):
            with suppress(KycError):  # a profile that was erased takes nothing more
                changes.put_step(step)
                sealed["steps"] += 1
    for note_id in request.notes:
        note = changes.desk.note(note_id)
        if note is not None and isinstance(note.content, dict):
            with suppress(KycError):
                changes.desk.put_note(note)
                sealed["notes"] += 1
    for user_id in request.users:
        user = changes.users.user(user_id)
        if user is not None and tells_secret(user):
            changes.users.put_user(user)
            sealed["users"] += 1
    if sealed:
        trail.audit(context, "keys.sealed", brand="", details=dict(sealed))
    return ACCEPTED


def record_keys(context: WriteContext, request: RecordKeys, _target: None) -> Accepted:
    """Write the audit row."""
    trail.audit(context, request.action, brand="", details=request.details)
    return ACCEPTED


COMMANDS: tuple[Command, ...] = (
    local_row(
        "SysListKeys",
        "Operator: tell which key seals how much",
        Nothing,
        KeysReply,
        list_keys,
        scopes.anything,
        kind=Kind.QUERY,
    ),
    local_row(
        "SysRotateKeys",
        "Operator: seal every key by a new master key",
        Nothing,
        RotatedReply,
        rotate,
        scopes.anything,
        kind=Kind.QUERY,
    ),
    local_row(
        "SysSealOld",
        "Operator: seal what was written in clear",
        Nothing,
        SealedReply,
        seal_old,
        scopes.anything,
        kind=Kind.QUERY,
    ),
    local_row(
        "SysHoldFiles",
        "Operator: have profiles hold the data keys of their files",
        HoldFiles,
        Accepted,
        hold_files,
        scopes.anything,
        prepare=Prepare(look_up),
    ),
    local_row(
        "SysSealRecords", "Operator: seal what records hold", SealRecords, Accepted, seal_records, scopes.anything
    ),
    local_row(
        "SysRecordKeys",
        "Operator: write down what was done with the keys",
        RecordKeys,
        Accepted,
        record_keys,
        scopes.anything,
    ),
)
