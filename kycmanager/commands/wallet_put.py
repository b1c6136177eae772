"""What a wallet sends for its customer: saved, handed in once it is complete, all of it or nothing.

A step that waits is amended; one that was approved and is changed runs out, and the new one is handed in anew.
"""

import hashlib
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec.structs import replace

from kycmanager.commands import customer as portal
from kycmanager.commands import documents, trail, verifications
from kycmanager.commands.model import Command, Prepare, Reply, WriteContext, local_row
from kycmanager.commands.profiles import SetRequiredLevel, set_required_level
from kycmanager.commands.steps import RequireStep, require_step
from kycmanager.commands.templates import AddTemplate, add_template
from kycmanager.commands.wallet_given import (
    Given,
    PutCustomer,
    Sent,
    given_of,
    kept_answers,
    let_go,
    look_up,
    refuse_unknown,
    schema_of,
    sent_name,
    usable_documents,
)
from kycmanager.commands.wallet_view import (
    AskedStep,
    asked_steps,
    newest_documents,
    rejected_names,
)
from kycmanager.commands.wallets import asked_for, known, opened
from kycmanager.domain import answers as answer_rules
from kycmanager.domain import document as document_rules
from kycmanager.domain import form_schema
from kycmanager.domain import step as steps
from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.domain.files import is_of_customer
from kycmanager.domain.records import Document, FileFacts, Profile, Step
from kycmanager.domain.verification import is_confirmed
from kycmanager.domain.wallets import DEFAULT_FORM, DEFAULT_TEMPLATE, CustomerType, Identity

SOURCE = "sep12"


class PutReply(Reply, frozen=True, kw_only=True):
    """The customer; `wrong` names the fields whose code was not right: that try is counted, so it is no error."""

    id: str
    wrong: list[str]


def put_customer(context: WriteContext, request: PutCustomer, target: Identity | None) -> PutReply:
    """Save what was sent, hand in what is complete by it, begin and try verifications."""
    changes = context.changes
    kind = changes.wallets.types.of(request.type)
    identity = opened(context, request, target)
    profile = _ask(context, identity, kind)
    asked = asked_steps(changes, identity.brand, kind, profile)
    refuse_unknown(asked, request)
    confirmed, wrong = verifications.try_all(context, profile, request.verifications)
    put = _Put(context, request, kind)
    for each in asked:
        put.fill(each, confirmed)
    return PutReply(id=str(identity.id), wrong=wrong)


def _ask(context: WriteContext, identity: Identity, kind: CustomerType) -> Profile:
    """Ask the customer what the type asks and was not asked before; return the profile."""
    changes, brand, customer_id = context.changes, identity.brand, identity.customer_id
    profile = changes.profile_of(customer_id, brand)
    held = changes.steps_of(profile.id) if profile is not None else ()
    level = max(kind.level, profile.required_level if profile is not None else 0)
    if kind.level and (profile is None or profile.required_level < kind.level or _lacks(context, brand, kind, held)):
        asked = SetRequiredLevel(customer_id=customer_id, brand=brand, level=level, source=SOURCE)
        set_required_level(context, asked, profile)
    for code in kind.templates:
        if steps.active(held, code) is None and not _is_skipped(held, code):
            if code == DEFAULT_TEMPLATE and changes.template_by_code(brand, code) is None:
                _add_default(context, brand)
            try:
                require_step(
                    context,
                    RequireStep(customer_id=customer_id, brand=brand, step_code=code, source=SOURCE),
                    changes.profile_of(customer_id, brand),
                )
            except KycError as error:
                if error.code is not Code.NOT_FOUND:
                    raise
                raise KycError(
                    Code.INVALID_STATE, f"type: the brand has no active template {code}; tell the operator"
                ) from None
    fresh = changes.profile_of(customer_id, brand)
    return (
        fresh
        if fresh is not None
        else trail.recalculate(context, trail.profile_for(context, None, customer_id, brand, SOURCE))
    )


def _lacks(context: WriteContext, brand: str, kind: CustomerType, held: Collection[Step]) -> bool:
    newest = steps.newest(held)
    return any(
        template.required and template.level <= kind.level and template.code not in newest
        for template in context.changes.active_templates(brand)
    )


def _is_skipped(held: Collection[Step], code: str) -> bool:
    found = steps.newest(held).get(code)
    return found is not None and found.status is StepStatus.SKIPPED


def _add_default(context: WriteContext, brand: str) -> None:
    form = msgspec.json.decode(msgspec.json.encode(DEFAULT_FORM))
    add_template(
        context,
        AddTemplate(
            brand=brand,
            code=DEFAULT_TEMPLATE,
            level=1,
            name="Wallet customer",
            step_type=StepType.QUESTIONNAIRE,
            required=0,
            form_schema=form,
        ),
        None,
    )


class _Put:
    """Brings what one request says into the steps."""

    def __init__(self, context: WriteContext, request: PutCustomer, kind: CustomerType) -> None:
        self._context = context
        self._changes = context.changes
        self._request = request
        self._kind = kind
        self._sent: Sent = context.facts

    def fill(self, asked: AskedStep, confirmed: frozenset[str]) -> None:
        """Bring it into one step."""
        step = asked.step
        if step is None or not asked.fields or step.status is StepStatus.SKIPPED:
            return
        given = given_of(self._changes, asked, self._request)
        if step.status is StepStatus.PENDING:
            if given:
                self._amend(step, given)
        elif step.status is StepStatus.APPROVED:
            if given:
                self._fill_open(asked, self._succeed(step, given), given, again=True)
        elif given or confirmed & {each.name for each in asked.fields}:
            if step.status is StepStatus.REJECTED and self._changes.desk.reasons.is_final(step.brand, step.reason):
                raise KycError(Code.INVALID_STATE, "The application was rejected; nothing more can be sent for it")
            self._fill_open(asked, step, given, again=False)
        # A value that waits for its code asks for a new one by being sent again.
        self._verify(asked)

    def _fill_open(self, asked: AskedStep, step: Step, given: Given, *, again: bool) -> None:
        """Save what was given, and hand the step in where it is complete by it."""
        refused = rejected_names(asked, newest_documents(self._changes, step))
        was_rejected = step.status is StepStatus.REJECTED
        answers = self._attach(step, given)
        merged = answer_rules.merge(self._changes.answers(step), answers)
        context = self._with_files(step, merged)
        mended = bool(refused & {*given.values, *given.files}) or not was_rejected
        if mended and self._complete(asked, step, merged, context.facts):
            portal.submit_step(context, portal.SubmitStep(id=step.id, answers=answers), step)
        elif answers or again:
            portal.save_answers(context, portal.SaveAnswers(id=step.id, answers=answers), step)

    def _complete(self, asked: AskedStep, step: Step, merged: dict[str, Any], files: dict[str, FileFacts]) -> bool:
        found = newest_documents(self._changes, step)
        for each in asked.fields:
            document = found.get(each.name)
            if each.is_file and each.field.required and (document is None or not _is_usable(document)):
                return False
            if document is not None and document.status is DocumentStatus.REJECTED:
                return False
            if self._waits_for_code(step, each.name, merged):
                return False
        return not answer_rules.check(
            schema_of(self._changes, step),
            merged,
            partial=False,
            files=files,
            customer_id=step.customer_id,
            brand=step.brand,
        )

    def _waits_for_code(self, step: Step, name: str, merged: dict[str, Any]) -> bool:
        if name not in self._kind.verify or answer_rules.is_empty(merged.get(name)):
            return False
        return not is_confirmed(self._changes.wallets.verification(step.kyc_id, name), merged[name])

    def _amend(self, step: Step, given: Given) -> None:
        """Change a step that waits; reviewers see it anew, and a decision on the version before is refused."""
        for name in given.values:
            if name in self._kind.verify:
                raise KycError(
                    Code.INVALID_STATE, f"{name}: is confirmed and waits for a decision; it cannot change now"
                )
        answers = self._attach(step, given)
        merged = answer_rules.merge(self._changes.answers(step), answers)
        context = self._with_files(step, merged)
        portal.check_answers(context, step, merged, partial=False)
        fresh = steps.amend(step, now=context.now, answers=merged, submitted_time=context.now)
        portal.hand_in_documents(context, step)
        trail.put_step(context, "step.submitted", fresh)
        trail.recalculate(context, trail.profile_of(context, fresh))
        trail.audit(
            context,
            "step.submitted",
            brand=step.brand,
            customer_id=step.customer_id,
            kyc_id=step.kyc_id,
            step_id=step.id,
            old_status=step.status,
            new_status=fresh.status,
            details={"amended": sorted({*given.values, *given.files})},
        )

    def _succeed(self, old: Step, given: Given) -> Step:
        """Let an approved step run out that its customer changes; return the one that is handed in instead."""
        context, changes = self._context, self._changes
        gone = steps.move(old, StepStatus.EXPIRED, now=context.now)
        fresh = replace(
            gone,
            id=changes.next_id("step"),
            status=StepStatus.REQUIRED,
            answers=kept_answers(changes, old, given),
            submitted_time=0,
            created_time=context.now,
            reviewed_time=0,
            reviewed_by=0,
            reason="",
            comment="",
            expire_time=0,
            version=1,
        )
        again = [(each, self._sent.files.get(each.file_id)) for each in usable_documents(changes, old)]
        trail.put_step(context, "step.expired", gone)
        trail.put_step(context, "step.required", fresh)
        profile = trail.recalculate(context, trail.profile_of(context, old))
        for document, file in again:
            if file is not None and document.type not in given.files:
                documents.attach(context, profile, file, fresh.id, document.type)
        for kind, step, details in (
            ("step.expired", gone, {}),
            ("step.required", fresh, {"successor_of": old.id}),
        ):
            trail.audit(
                context,
                kind,
                brand=old.brand,
                customer_id=old.customer_id,
                kyc_id=old.kyc_id,
                step_id=step.id,
                reason="changed",
                old_status=old.status if step is gone else 0,
                new_status=step.status,
                details=details,
            )
        found = changes.step(fresh.id)
        assert found is not None
        return found

    def _attach(self, step: Step, given: Given) -> dict[str, Any]:
        """Attach the files; return the answers, those that name files among them."""
        answers = dict(given.values)
        if not given.files:
            return answers
        profile = trail.profile_of(self._context, step)
        in_form = {field.name for field in form_schema.fields(schema_of(self._changes, step))}
        for name, file_id in given.files.items():
            file = self._sent.files.get(file_id)
            if file is None or not is_of_customer(file, step.customer_id, step.brand):
                raise invalid(f"{name}_file_id", "is no stored file of this customer")
            self._forget(step, name)
            documents.attach(self._context, profile, file, step.id, name)
            if name in in_form:
                answers[name] = file_id
        return answers

    def _forget(self, step: Step, name: str) -> None:
        """Let the document go that a new one replaces, unless somebody has decided on it."""
        old = newest_documents(self._changes, step).get(name)
        if old is not None and old.status in {DocumentStatus.UPLOADED, DocumentStatus.PENDING}:
            documents.move_document(self._context, old, "document.deleted", DocumentStatus.DELETED, reason="replaced")

    def _with_files(self, step: Step, merged: dict[str, Any]) -> WriteContext:
        named = answer_rules.file_references(schema_of(self._changes, step), merged)
        files = {each: self._sent.files[each] for each in named if each in self._sent.files}
        return replace(self._context, facts=files)

    def _verify(self, asked: AskedStep) -> None:
        step = self._changes.step(asked.step.id) if asked.step is not None else None
        if step is None or step.status not in {StepStatus.REQUIRED, StepStatus.REJECTED}:
            return
        answers = self._changes.answers(step)
        for each in asked.fields:
            value = answers.get(each.name)
            if self._waits_for_code(step, each.name, answers) and sent_name(each.name, self._request.values):
                seed = hashlib.sha256(f"{self._request.seed}:{each.name}".encode()).digest()
                verifications.begin(self._context, trail.profile_of(self._context, step), each.name, value, seed)


def _is_usable(document: Document) -> bool:
    return document.status in document_rules.USABLE


COMMANDS: tuple[Command, ...] = (
    local_row(
        "SysPutSepCustomer",
        "SEP-12: save what a wallet sends for its customer",
        PutCustomer,
        PutReply,
        put_customer,
        asked_for,
        Code.NOT_FOUND,
        Code.INVALID_STATE,
        Code.TOO_FREQUENT,
        prepare=Prepare(look_up, let_go),
    ),
    local_row(
        "SysConfirmSepCustomer",
        "SEP-12: try the codes a wallet sends for its customer",
        PutCustomer,
        PutReply,
        put_customer,
        known,
        Code.NOT_FOUND,
        Code.INVALID_STATE,
        Code.TOO_FREQUENT,
        prepare=Prepare(look_up, let_go),
    ),
)
