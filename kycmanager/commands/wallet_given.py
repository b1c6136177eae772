"""What a wallet says of its customer: found out before the strand, and held against what is there already."""

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct

from kycmanager.commands.model import END, FileId, PrepareContext
from kycmanager.commands.wallet_view import AskedField, AskedStep, asked_steps, newest_documents
from kycmanager.commands.wallets import WalletRequest, asked_for
from kycmanager.domain import answers as answer_rules
from kycmanager.domain import document as document_rules
from kycmanager.domain import form_schema, sep9
from kycmanager.domain.enums import StepStatus
from kycmanager.domain.errors import invalid
from kycmanager.domain.records import Document, FileFacts, Step
from kycmanager.ports import Files, Records

VALUES_MAX = 200

FieldName = Annotated[str, Meta(max_length=form_schema.NAME_CHARS_MAX)]
Seed = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{END}")]


class PutCustomer(WalletRequest, frozen=True, kw_only=True):
    """What a wallet sends: values and files by field, codes that confirm fields; `seed` is what new codes are made of.

    A field is named as SEP-9 or the form names it.
    """

    seed: Seed
    values: Annotated[dict[FieldName, Any], Meta(max_length=VALUES_MAX)] = {}
    files: Annotated[dict[FieldName, FileId], Meta(max_length=VALUES_MAX)] = {}
    verifications: Annotated[dict[FieldName, Any], Meta(max_length=VALUES_MAX)] = {}


class Sent(Struct, frozen=True):
    """What was found out before the strand: what is known of the files, and which were pinned, how often."""

    files: dict[str, FileFacts]
    pins: list[str]


class Given(Struct, frozen=True):
    """What a request changes of one step: answers, and files by field."""

    values: dict[str, Any]
    files: dict[str, str]

    def __bool__(self) -> bool:
        return bool(self.values or self.files)


async def look_up(context: PrepareContext, request: PutCustomer) -> Sent:
    """Look up the files the answers will name, and pin those that are to be attached: by document and by answer."""
    records = context.records
    identity = asked_for(records, context.session, request)
    if identity is None:
        return Sent({}, [])
    kind = records.wallets.types.of(request.type)
    profile = records.profile_of(identity.customer_id, identity.brand)
    held: set[str] = set()
    wanted: list[str] = []
    for asked in asked_steps(records, identity.brand, kind, profile):
        given = given_of(records, asked, request)
        names = {each.name: each for each in asked.fields}
        for name, file_id in given.files.items():
            wanted += [file_id, file_id] if names[name].in_form else [file_id]
        if asked.step is not None:
            schema = schema_of(records, asked.step)
            held.update(answer_rules.file_references(schema, records.answers(asked.step)))
            if given and asked.step.status is StepStatus.APPROVED:
                # Its successor holds the same files once more.
                again = [file for file in usable_documents(records, asked.step) if file.type not in given.files]
                wanted += [file.file_id for file in again]
                wanted += answer_rules.file_references(schema, kept_answers(records, asked.step, given))
    found = await context.files.facts({*held, *wanted}) if held or wanted else {}
    pins = [file_id for file_id in wanted if file_id in found]
    if pins:
        await context.files.pin(pins)
    return Sent(found, pins)


async def let_go(files: Files, sent: Sent) -> None:
    """Let the files go: nothing was changed."""
    if sent.pins:
        await files.unpin(sent.pins)


def kept_answers(records: Records, step: Step, given: Given) -> dict[str, Any]:
    """Return the answers that stay when a step is changed so."""
    return {name: value for name, value in records.answers(step).items() if name not in given.files}


def schema_of(records: Records, step: Step) -> dict[str, Any]:
    """Return the form of a step."""
    return records.template_text(step.template_id, step.template_version).form_schema


def usable_documents(records: Records, step: Step) -> list[Document]:
    """Return the last document of each type of a step that may still be decided on, or was approved."""
    found = newest_documents(records, step).values()
    return [each for each in found if each.status in document_rules.USABLE]


def given_of(records: Records, asked: AskedStep, request: PutCustomer) -> Given:
    """Return what the request says of a step that is not there already. Raises INVALID_DATA naming the field."""
    step = asked.step
    saved = records.answers(step) if step is not None else {}
    files = newest_documents(records, step) if step is not None else {}
    values: dict[str, Any] = {}
    sent: dict[str, str] = {}
    for each in asked.fields:
        name = each.name
        if each.is_file:
            file_id = request.files.get(name)
            old = files.get(name)
            if file_id and (old is None or old.file_id != file_id):
                sent[name] = file_id
            continue
        alias = sent_name(name, request.values)
        if alias:
            value = sep9.answer_of(each.field, request.values[alias])
            rejected = step is not None and step.status is StepStatus.REJECTED
            if rejected or saved.get(name) != value:
                values[name] = value
    return Given(values, sent)


def sent_name(name: str, values: Iterable[str]) -> str:
    """Return under which name a field was sent, "" where it was not."""
    if name in values:
        return name
    others = [alias for alias, meant in sep9.ALIASES.items() if meant == name]
    others += [sep9.ALIASES[name]] if name in sep9.ALIASES else []
    return next((other for other in others if other in values), "")


def refuse_unknown(asked: list[AskedStep], request: PutCustomer) -> None:
    """Refuse what nobody could have meant: a field of SEP-9 that is not asked is let pass, and not kept."""
    found = {each.name: each for step in asked for each in step.fields}
    for name in request.values:
        sep9.refuse_never_stored(name)
        if _is_file(found.get(name), name):
            raise invalid(name, f"is a file: send it as a part of multipart/form-data, or name it by {name}_file_id")
        if name not in found and not sep9.known(name):
            raise invalid(name, "is no field of SEP-9 and not asked here")
    for name in request.files:
        if name not in found and sep9.FIELDS.get(name, ("", ""))[0] != sep9.BINARY:
            raise invalid(name, "is no file that is asked here")
        if name in found and not found[name].is_file:
            raise invalid(name, "is no file")


def _is_file(asked: AskedField | None, name: str) -> bool:
    return asked.is_file if asked is not None else sep9.FIELDS.get(name, ("", ""))[0] == sep9.BINARY
