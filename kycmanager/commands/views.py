"""Records as they stand on the wire: for managers whole, for customers without what is internal."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from kycmanager.commands.model import Reply
from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.domain.records import Document, Note, Profile, Step, Template
from kycmanager.domain.verification import SentCode
from kycmanager.ports import Records


class StepView(Struct, frozen=True, kw_only=True, gc=False):
    """A step with what its template asked for in the version it was made from."""

    id: int
    customer_id: int
    kyc_id: int
    brand: str
    template_id: int
    level: int
    code: str
    name: str
    step_type: StepType
    required: int
    status: StepStatus
    requirements: dict[str, Any]
    form_schema: dict[str, Any]
    answers: dict[str, Any]
    submitted_time: int
    updated_time: int
    created_time: int
    reviewed_time: int
    reviewed_by: int
    reason: str
    comment: str
    expire_time: int
    template_version: int
    explicit: int
    version: int


class CustomerStep(Struct, frozen=True, kw_only=True, gc=False):
    """A step as its customer sees it: no comment, no reviewer."""

    id: int
    customer_id: int
    kyc_id: int
    brand: str
    template_id: int
    level: int
    code: str
    name: str
    step_type: StepType
    required: int
    status: StepStatus
    requirements: dict[str, Any]
    form_schema: dict[str, Any]
    answers: dict[str, Any]
    submitted_time: int
    updated_time: int
    created_time: int
    reviewed_time: int
    reason: str
    reason_text: str
    expire_time: int
    template_version: int
    version: int


class CustomerDocument(Struct, frozen=True, kw_only=True, gc=False):
    """A document as its customer sees it: no comment, no reviewer."""

    id: int
    customer_id: int
    kyc_id: int
    step_id: int
    brand: str
    type: str
    status: DocumentStatus
    file_id: str
    file_name: str
    content_type: str
    file_size: int
    checksum: str
    created_time: int
    updated_time: int
    reviewed_time: int
    reason: str
    reason_text: str
    expire_time: int
    version: int


class NoteView(Struct, frozen=True, kw_only=True, gc=False):
    """A note on a case, for reviewers."""

    id: int
    kyc_id: int
    customer_id: int
    brand: str
    time: int
    author_id: int
    author_session: int
    text: str


class CodeView(Struct, frozen=True, kw_only=True):
    """A verification code on its way to a customer, opened for whoever delivers it."""

    id: int
    kyc_id: int
    customer_id: int
    brand: str
    field: str
    time: int
    expires: int
    code: str
    to: str


class TemplateReply(Reply, frozen=True, kw_only=True):
    """One template."""

    template: Template


class DocumentReply(Reply, frozen=True, kw_only=True):
    """One document."""

    document: Document


class CustomerDocumentReply(Reply, frozen=True, kw_only=True):
    """One document, as its customer sees it."""

    document: CustomerDocument


class StepReply(Reply, frozen=True, kw_only=True):
    """One step and its documents."""

    step: StepView
    documents: list[Document]


class CustomerStepReply(Reply, frozen=True, kw_only=True):
    """One step and its documents, as their customer sees them."""

    step: CustomerStep
    documents: list[CustomerDocument]


class ProfileReply(Reply, frozen=True, kw_only=True):
    """A profile with all its steps and documents."""

    profile: Profile
    steps: list[StepView]
    documents: list[Document]


class CustomerStatusReply(Reply, frozen=True, kw_only=True):
    """A customer's own profile, its active steps and its documents; profile is null before the first request."""

    profile: Profile | None
    steps: list[CustomerStep]
    documents: list[CustomerDocument]


class ListReply(Reply, frozen=True, kw_only=True):
    """One page: `next` is the cursor to send as `after`; `count_capped` says that `count` is a lower bound."""

    count: int
    next: str | None
    count_capped: bool | UnsetType = UNSET


class TemplateList(ListReply, frozen=True, kw_only=True):
    """Templates, ids ascending."""

    rows: list[Template]


class ProfileList(ListReply, frozen=True, kw_only=True):
    """Profiles, in the order asked for."""

    rows: list[Profile]


class DocumentList(ListReply, frozen=True, kw_only=True):
    """Documents, ids ascending."""

    rows: list[Document]


def step_view(records: Records, step: Step) -> StepView:
    """Join a step with the text of its template version."""
    text = records.template_text(step.template_id, step.template_version)
    return StepView(
        id=step.id,
        customer_id=step.customer_id,
        kyc_id=step.kyc_id,
        brand=step.brand,
        template_id=step.template_id,
        level=step.level,
        code=step.code,
        name=step.name,
        step_type=step.step_type,
        required=step.required,
        status=step.status,
        requirements=text.requirements,
        form_schema=text.form_schema,
        answers=records.answers(step),
        submitted_time=step.submitted_time,
        updated_time=step.updated_time,
        created_time=step.created_time,
        reviewed_time=step.reviewed_time,
        reviewed_by=step.reviewed_by,
        reason=step.reason,
        comment=step.comment,
        expire_time=step.expire_time,
        template_version=step.template_version,
        explicit=step.explicit,
        version=step.version,
    )


def customer_step(records: Records, step: Step, lang: str = "") -> CustomerStep:
    """Show a step to its customer; `lang` is the language of what a rejection tells."""
    text = records.template_text(step.template_id, step.template_version)
    return CustomerStep(
        id=step.id,
        customer_id=step.customer_id,
        kyc_id=step.kyc_id,
        brand=step.brand,
        template_id=step.template_id,
        level=step.level,
        code=step.code,
        name=step.name,
        step_type=step.step_type,
        required=step.required,
        status=step.status,
        requirements=text.requirements,
        form_schema=text.form_schema,
        answers=records.answers(step),
        submitted_time=step.submitted_time,
        updated_time=step.updated_time,
        created_time=step.created_time,
        reviewed_time=step.reviewed_time,
        reason=step.reason,
        reason_text=records.desk.reasons.told(step, lang),
        expire_time=step.expire_time,
        template_version=step.template_version,
        version=step.version,
    )


def note_view(records: Records, note: Note) -> NoteView:
    """Show a note, opened."""
    return NoteView(
        id=note.id,
        kyc_id=note.kyc_id,
        customer_id=note.customer_id,
        brand=note.brand,
        time=note.time,
        author_id=note.author_id,
        author_session=note.author_session,
        text=records.desk.text_of(note),
    )


def code_view(records: Records, sent: SentCode) -> CodeView:
    """Show a verification code, opened."""
    content = records.wallets.opened_code(sent)
    return CodeView(
        id=sent.id,
        kyc_id=sent.kyc_id,
        customer_id=sent.customer_id,
        brand=sent.brand,
        field=sent.field,
        time=sent.time,
        expires=sent.expires,
        code=str(content.get("code", "")),
        to=str(content.get("to", "")),
    )


def customer_document(records: Records, document: Document, lang: str = "") -> CustomerDocument:
    """Show a document to its customer; `lang` is the language of what a rejection tells."""
    return CustomerDocument(
        id=document.id,
        customer_id=document.customer_id,
        kyc_id=document.kyc_id,
        step_id=document.step_id,
        brand=document.brand,
        type=document.type,
        status=document.status,
        file_id=document.file_id,
        file_name=document.file_name,
        content_type=document.content_type,
        file_size=document.file_size,
        checksum=document.checksum,
        created_time=document.created_time,
        updated_time=document.updated_time,
        reviewed_time=document.reviewed_time,
        reason=document.reason,
        reason_text=records.desk.reasons.told(document, lang),
        expire_time=document.expire_time,
        version=document.version,
    )
