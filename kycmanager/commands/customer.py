"""What a customer may do: see what is asked, save and submit answers, attach documents."""

from typing import Any

from msgspec import Struct

from kycmanager.commands import documents, scopes, trail
from kycmanager.commands.model import (
    Access,
    AnyId,
    Command,
    DocumentType,
    FileId,
    Id,
    Kind,
    Language,
    Prepare,
    PrepareContext,
    ReadContext,
    Replay,
    Reply,
    Request,
    Route,
    WriteContext,
    WriteRequest,
)
from kycmanager.commands.views import (
    CustomerDocument,
    CustomerDocumentReply,
    CustomerStatusReply,
    CustomerStepReply,
    customer_document,
    customer_step,
)
from kycmanager.domain import answers as answer_rules
from kycmanager.domain import document as document_rules
from kycmanager.domain import step as steps
from kycmanager.domain.enums import DocumentStatus, StepStatus
from kycmanager.domain.errors import Code, KycError, forbidden, not_found
from kycmanager.domain.files import is_of_customer
from kycmanager.domain.form_schema import Fault, refusal
from kycmanager.domain.records import Document, FileFacts, Profile, Step
from kycmanager.domain.session import CUSTOMERS
from kycmanager.ports import Files, Records


class GetStatus(Request, frozen=True, kw_only=True):
    """Nothing but a language: the token says who asks."""

    lang: Language = ""


class GetCustomerStep(Request, frozen=True, kw_only=True):
    """The step to show."""

    id: Id
    lang: Language = ""


class SubmitStep(WriteRequest, frozen=True, kw_only=True):
    """The step to hand in; answers given here go over those saved before."""

    id: Id
    answers: dict[str, Any] = {}


class SaveAnswers(WriteRequest, frozen=True, kw_only=True):
    """Answers to keep without handing the step in; null takes an answer back."""

    id: Id
    answers: dict[str, Any]


class GetCustomerDocuments(Request, frozen=True, kw_only=True):
    """Only the documents of one step unless step_id is 0."""

    step_id: AnyId = 0
    lang: Language = ""


class AddCustomerDocument(WriteRequest, frozen=True, kw_only=True):
    """The customer's own file to attach to the own profile."""

    kyc_id: Id
    file_id: FileId
    step_id: AnyId = 0
    type: DocumentType = ""


class SubmittedStep(Struct, frozen=True, kw_only=True):
    """What submitting or saving changed."""

    id: int
    status: StepStatus
    answers: dict[str, Any]
    submitted_time: int
    updated_time: int
    version: int


class SubmittedReply(Reply, frozen=True, kw_only=True):
    """The step after it was handed in or its answers were saved."""

    step: SubmittedStep


class CustomerDocumentsReply(Reply, frozen=True, kw_only=True):
    """The customer's documents, ids ascending."""

    rows: list[CustomerDocument]


def _visible(records: Records, kyc_id: int) -> list[Document]:
    return [found for found in records.documents_of(kyc_id) if found.status is not DocumentStatus.DELETED]


def get_status(context: ReadContext, request: GetStatus, target: Profile | None) -> CustomerStatusReply:
    """Show the customer's profile, what is asked, and what was handed in."""
    if target is None:
        return CustomerStatusReply(profile=None, steps=[], documents=[])
    records = context.records
    return CustomerStatusReply(
        profile=target,
        steps=[
            customer_step(records, step, request.lang)
            for step in records.steps_of(target.id)
            if step.status in steps.ACTIVE
        ],
        documents=[customer_document(records, found, request.lang) for found in _visible(records, target.id)],
    )


def get_step(context: ReadContext, request: GetCustomerStep, target: Step) -> CustomerStepReply:
    """Show one step of the customer and its documents."""
    records = context.records
    return CustomerStepReply(
        step=customer_step(records, target, request.lang),
        documents=[
            customer_document(records, found, request.lang)
            for found in _visible(records, target.kyc_id)
            if found.step_id == target.id
        ],
    )


async def pin_referenced(context: PrepareContext, request: Any) -> dict[str, FileFacts]:
    """Look up and pin the files the answers point to; one that does not exist is a fault of its field later."""
    step = context.records.step(request.id)
    if step is None:
        return {}
    text = context.records.template_text(step.template_id, step.template_version)
    wanted = answer_rules.file_references(
        text.form_schema, answer_rules.merge(context.records.answers(step), request.answers)
    )
    found = await context.files.facts(wanted) if wanted else {}
    if found:
        await context.files.pin(found)
    return found


async def unpin_referenced(files: Files, found: dict[str, FileFacts]) -> None:
    """Let the files go: the answers were refused."""
    if found:
        await files.unpin(found)


REFERENCED = Prepare(pin_referenced, unpin_referenced)


def _submitted(records: Records, step: Step) -> SubmittedReply:
    return SubmittedReply(
        step=SubmittedStep(
            id=step.id,
            status=step.status,
            answers=records.answers(step),
            submitted_time=step.submitted_time,
            updated_time=step.updated_time,
            version=step.version,
        ),
    )


def check_answers(context: WriteContext, step: Step, given: dict[str, Any], *, partial: bool) -> None:
    """Check answers against the form, and have the profile hold the files they name; `facts` are those by uuid."""
    text = context.changes.template_text(step.template_id, step.template_version)
    answer_rules.ensure(
        text.form_schema,
        given,
        partial=partial,
        files=context.facts,
        customer_id=step.customer_id,
        brand=step.brand,
    )
    for file in context.facts.values():
        context.changes.hold_file(file, step.kyc_id)


def hand_in_documents(context: WriteContext, step: Step) -> None:
    """Hand the documents of a step in; INVALID_DATA where it needs one and has none."""
    mine = [found for found in context.changes.documents_of(step.kyc_id) if found.step_id == step.id]
    if steps.documents_needed(step) and not any(found.status in document_rules.USABLE for found in mine):
        raise refusal([Fault("documents", "required", "attach a document to this step first")])
    for found in mine:
        if found.status is DocumentStatus.UPLOADED:
            moved = document_rules.move(found, DocumentStatus.PENDING, now=context.now)
            trail.put_document(context, "document.submitted", moved)


def submit_step(context: WriteContext, request: SubmitStep, target: Step) -> SubmittedReply:
    """Check every answer, hand the step and its documents in, tell the reviewers."""
    merged = answer_rules.merge(context.changes.answers(target), request.answers)
    step = steps.move(
        target,
        StepStatus.PENDING,
        now=context.now,
        answers=merged if request.answers else target.answers,
        submitted_time=context.now,
    )
    check_answers(context, target, merged, partial=False)
    hand_in_documents(context, target)
    trail.put_step(context, "step.submitted", step)
    trail.recalculate(context, trail.profile_of(context, step))
    trail.audit_step(context, "step.submitted", step, target.status)
    return _submitted(context.changes, step)


def save_answers(context: WriteContext, request: SaveAnswers, target: Step) -> SubmittedReply:
    """Keep some answers for later; only a step that can still be handed in takes them."""
    if target.status not in {StepStatus.REQUIRED, StepStatus.REJECTED}:
        raise KycError(Code.INVALID_STATE, f"Step is {target.status.name.lower()}; its answers cannot change")
    check_answers(context, target, request.answers, partial=True)
    merged = answer_rules.merge(context.changes.answers(target), request.answers)
    step = steps.amend(target, now=context.now, answers=merged)
    trail.put_step(context, "step.saved", step)
    trail.audit_step(context, "step.saved", step, target.status, details={"fields": sorted(request.answers)})
    return _submitted(context.changes, step)


def get_documents(
    context: ReadContext, request: GetCustomerDocuments, target: Profile | None
) -> CustomerDocumentsReply:
    """List the customer's documents."""
    if target is None:
        return CustomerDocumentsReply(rows=[])
    found = _visible(context.records, target.id)
    return CustomerDocumentsReply(
        rows=[
            customer_document(context.records, each, request.lang)
            for each in found
            if request.step_id in {0, each.step_id}
        ],
    )


def add_document(context: WriteContext, request: AddCustomerDocument, target: Profile) -> CustomerDocumentReply:
    """Attach a file the customer uploaded; anybody else's is refused."""
    changes = context.changes
    file: FileFacts | None = context.facts.file
    if file is None:
        raise not_found("file")
    if not is_of_customer(file, target.customer_id, target.brand):
        raise forbidden()
    if request.step_id:
        step = changes.step(request.step_id)
        if step is None:
            raise not_found("step")
        if step.kyc_id != target.id:
            raise forbidden()
        documents.open_step(step)
        if step.status is StepStatus.APPROVED:
            raise KycError(Code.INVALID_STATE, "Step is approved; documents cannot be added to it")
    made = documents.attach(context, target, file, request.step_id, request.type)
    return CustomerDocumentReply(document=customer_document(changes, made))


def _recall_step(records: Records, step_id: int) -> SubmittedReply:
    found = records.step(step_id)
    assert found is not None
    return _submitted(records, found)


def _recall_document(records: Records, document_id: int) -> CustomerDocumentReply:
    found = records.document(document_id)
    assert found is not None
    return CustomerDocumentReply(document=customer_document(records, found))


COMMANDS: tuple[Command, ...] = (
    Command(
        name="CustomerGetKycStatus",
        summary="Show a customer the own profile, active steps and documents",
        request=GetStatus,
        reply=CustomerStatusReply,
        access=Access(CUSTOMERS, scopes.own_profile),
        kind=Kind.READ,
        handler=get_status,
        errors=(),
        route=Route(("GET",), "/customer/kyc"),
    ),
    Command(
        name="CustomerGetKycStep",
        summary="Show a customer one of the own steps",
        request=GetCustomerStep,
        reply=CustomerStepReply,
        access=Access(CUSTOMERS, scopes.own_step),
        kind=Kind.READ,
        handler=get_step,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/customer/kyc/steps/{id}"),
        noun="step",
    ),
    Command(
        name="CustomerSubmitKycStep",
        summary="Hand a step in for review",
        request=SubmitStep,
        reply=SubmittedReply,
        access=Access(CUSTOMERS, scopes.own_step),
        kind=Kind.WRITE,
        handler=submit_step,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/customer/kyc/steps/{id}/submit"),
        noun="step",
        prepare=REFERENCED,
        replay=Replay(record=lambda reply: reply.step, answer=_recall_step),
    ),
    Command(
        name="CustomerSaveKycAnswers",
        summary="Keep some answers of a step for later",
        request=SaveAnswers,
        reply=SubmittedReply,
        access=Access(CUSTOMERS, scopes.own_step),
        kind=Kind.WRITE,
        handler=save_answers,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/customer/kyc/steps/{id}/answers"),
        noun="step",
        prepare=REFERENCED,
        replay=Replay(record=lambda reply: reply.step, answer=_recall_step),
    ),
    Command(
        name="CustomerGetKycDocuments",
        summary="List a customer's own documents",
        request=GetCustomerDocuments,
        reply=CustomerDocumentsReply,
        access=Access(CUSTOMERS, scopes.own_step_filter),
        kind=Kind.READ,
        handler=get_documents,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/customer/kyc/documents"),
    ),
    Command(
        name="CustomerAddKycDocument",
        summary="Attach an uploaded file to the own profile",
        request=AddCustomerDocument,
        reply=CustomerDocumentReply,
        access=Access(CUSTOMERS, scopes.own_profile_named),
        kind=Kind.WRITE,
        handler=add_document,
        errors=(Code.NOT_FOUND, Code.INVALID_STATE),
        route=Route(("POST",), "/customer/kyc/documents"),
        prepare=documents.PIN,
        replay=Replay(record=lambda reply: reply.document, answer=_recall_document),
    ),
)
