"""A customer of a wallet as SEP-12 sees one: worked out of steps, answers and documents, nothing of it is kept.

A step that is asked and not handed in, or rejected and may be mended, makes NEEDS_INFO; one that waits for somebody
here PROCESSING; all of them done ACCEPTED; one rejected for good REJECTED.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import UNSET, Struct, UnsetType

from kycmanager.commands.model import Reply
from kycmanager.domain import form_schema, sep9
from kycmanager.domain import step as steps
from kycmanager.domain.answers import is_empty
from kycmanager.domain.enums import DocumentStatus, RiskLevel, StepStatus, StepType
from kycmanager.domain.records import NO_OBJECT, Document, Profile, Step
from kycmanager.domain.verification import is_confirmed
from kycmanager.domain.wallets import DEFAULT_FORM, DEFAULT_TEMPLATE, CustomerType
from kycmanager.ports import Records

ACCEPTED, PROCESSING, NEEDS_INFO, REJECTED = "ACCEPTED", "PROCESSING", "NEEDS_INFO", "REJECTED"
VERIFICATION_REQUIRED = "VERIFICATION_REQUIRED"
VERIFICATION = "_verification"

_AGAIN = "It was rejected; please send it again"
_FINAL = "We are sorry: we cannot accept your application"
_WITH_DOCUMENTS = frozenset({StepType.DOCUMENT, StepType.MIXED})


class WalletField(Struct, frozen=True, kw_only=True):
    """A field as a wallet is told of it: what it is and, where it was sent, what became of it."""

    type: str
    description: str
    choices: list[str] | UnsetType = UNSET
    optional: bool | UnsetType = UNSET
    status: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


class WalletCustomerReply(Reply, frozen=True, kw_only=True):
    """A customer of a wallet, or what is asked of a new one, whose id is empty."""

    id: str
    status: str
    fields: dict[str, WalletField]
    provided_fields: dict[str, WalletField]
    message: str


class Customer(Protocol):
    """Whom to show: an identity, a callback, or a `Stranger`."""

    @property
    def id(self) -> int: ...  # noqa: D102 - as it says
    @property
    def brand(self) -> str: ...  # noqa: D102 - as it says
    @property
    def customer_id(self) -> int: ...  # noqa: D102 - as it says


class Stranger(Struct, frozen=True):
    """Somebody nothing is known of yet."""

    brand: str
    id: int = 0
    customer_id: int = 0


class AskedField(Struct, frozen=True):
    """A field of a step; one that is no field of its form is a document alone."""

    field: form_schema.Field
    description: object
    in_form: bool = True

    @property
    def name(self) -> str:
        """Its name."""
        return self.field.name

    @property
    def is_file(self) -> bool:
        """Tell whether a file is asked."""
        return self.field.type == "file_reference"


class AskedStep(Struct, frozen=True):
    """One thing asked: the newest step of its code, or None where there is none and the template is to be asked."""

    code: str
    step: Step | None
    fields: list[AskedField]


def asked_steps(records: Records, brand: str, kind: CustomerType, profile: Profile | None) -> list[AskedStep]:
    """Return what a type asks of a customer, in order; also what somebody here asked besides, by no type's template."""
    held = records.steps_of(profile.id) if profile is not None else ()
    newest = steps.newest(held)
    found = []
    for code in _codes(records, brand, kind, newest.values()):
        step = newest.get(code)
        if step is not None and step.status is StepStatus.EXPIRED:
            step = None
        fields = _fields(records, brand, code, step)
        if fields is not None:
            found.append(AskedStep(code, step, fields))
    return found


def _codes(records: Records, brand: str, kind: CustomerType, held: Iterable[Step]) -> list[str]:
    codes = list(kind.templates)
    if kind.level:
        codes += [each.code for each in records.active_templates(brand) if each.required and each.level <= kind.level]
    types = records.wallets.types
    codes += [
        step.code
        for step in held
        if step.required
        and step.status is not StepStatus.EXPIRED
        and ((step.explicit and not types.names_template(step.code)) or 0 < step.level <= kind.level)
    ]
    return list(dict.fromkeys(codes))


def _fields(records: Records, brand: str, code: str, step: Step | None) -> list[AskedField] | None:
    """Return the fields of a step, or of its template as it is now; None where there is neither."""
    if step is not None:
        schema = records.template_text(step.template_id, step.template_version).form_schema
        return fields_of(code, step.step_type, schema)
    template = records.template_by_code(brand, code)
    if template is not None:
        return fields_of(code, template.step_type, template.form_schema)
    return fields_of(code, StepType.QUESTIONNAIRE, DEFAULT_FORM) if code == DEFAULT_TEMPLATE else None


def fields_of(code: str, step_type: StepType, schema: dict[str, Any]) -> list[AskedField]:
    """Return the fields of a form; where a document is needed and no field asks one, a file by the code of the step."""
    texts = {
        field["name"]: field.get("description") or field.get("label")
        for section in schema.get("sections", ())
        for field in section.get("fields", ())
    }
    found = [AskedField(field, texts[field.name]) for field in form_schema.fields(schema)]
    if step_type in _WITH_DOCUMENTS and not any(each.is_file for each in found):
        name = code.replace(":", "_")
        found.append(AskedField(form_schema.Field(name, "file_reference", True, None), None, in_form=False))
    return found


def newest_documents(records: Records, step: Step) -> dict[str, Document]:
    """Return the last document of each type that hangs on a step, those that were deleted left out."""
    return {
        found.type: found
        for found in records.documents_of(step.kyc_id)
        if found.step_id == step.id and found.status is not DocumentStatus.DELETED
    }


def customer_of(records: Records, customer: Customer, type_: str, lang: str) -> WalletCustomerReply:
    """Show a customer to its wallet. Raises INVALID_DATA for an unknown type."""
    kind = records.wallets.types.of(type_)
    profile = records.profile_of(customer.customer_id, customer.brand) if customer.id else None
    asked = asked_steps(records, customer.brand, kind, profile)
    view = _View(records, kind, profile.id if profile is not None else 0, lang)
    for each in asked:
        view.add(each)
    cleared = bool(asked) and (profile is None or profile.risk_level is not RiskLevel.PROHIBITED)
    status = view.status(cleared=cleared)
    return WalletCustomerReply(
        id=str(customer.id) if customer.id else "",
        status=status,
        fields=view.fields,
        provided_fields=view.provided,
        message=view.message if status == REJECTED else "",
    )


class _View:
    """Gathers the fields of all steps, and what they make together."""

    def __init__(self, records: Records, kind: CustomerType, kyc_id: int, lang: str) -> None:
        self.fields: dict[str, WalletField] = {}
        self.provided: dict[str, WalletField] = {}
        self.message = ""
        self._records = records
        self._kind = kind
        self._kyc_id = kyc_id
        self._lang = lang
        self._needs = self._waits = False

    def status(self, *, cleared: bool) -> str:
        """Return what all that was added makes; who is not `cleared` waits however complete everything is."""
        if self.message:
            return REJECTED
        if self._needs:
            return NEEDS_INFO
        return PROCESSING if self._waits or not cleared else ACCEPTED

    def add(self, asked: AskedStep) -> None:
        """Add one step."""
        step = asked.step
        answers = self._records.answers(step) if step is not None else NO_OBJECT
        documents = newest_documents(self._records, step) if step is not None else {}
        status = StepStatus.REQUIRED if step is None else step.status
        rejected = rejected_names(asked, documents) if status is StepStatus.REJECTED else frozenset()
        if status is StepStatus.REQUIRED:
            self._needs |= bool(asked.fields)
            self._waits |= not asked.fields
        elif status is StepStatus.PENDING:
            self._waits = True
        elif step is not None and status is StepStatus.REJECTED:
            self._reject(step)
        for each in asked.fields:
            document = documents.get(each.name)
            value = answers.get(each.name) if each.in_form else document
            if is_empty(value):
                self._ask(each, status)
            else:
                self._show(each, status, value, document, self._error(step, document, each.name in rejected))

    def _reject(self, step: Step) -> None:
        reasons = self._records.desk.reasons
        if reasons.is_final(step.brand, step.reason):
            self.message = reasons.told(step, self._lang) or _FINAL
        else:
            self._needs = True

    def _error(self, step: Step | None, document: Document | None, rejected: bool) -> str:  # noqa: FBT001
        """Return why a field was rejected, "" where it was not."""
        told = self._records.desk.reasons.told
        if document is not None and document.status is DocumentStatus.REJECTED:
            return told(document, self._lang) or _AGAIN
        if step is None or not rejected:
            return ""
        return told(step, self._lang) or _AGAIN

    def _ask(self, asked: AskedField, status: StepStatus) -> None:
        if status in {StepStatus.REQUIRED, StepStatus.REJECTED}:
            self.fields[asked.name] = self._entry(asked, optional=not asked.field.required)

    def _show(self, asked: AskedField, status: StepStatus, value: Any, document: Document | None, error: str) -> None:
        name = asked.name
        if status in steps.DONE:
            self.provided[name] = self._entry(asked, status=ACCEPTED)
        elif error:
            self.provided[name] = self._entry(asked, status=REJECTED, error=error)
            self.fields[name] = self._entry(asked)
            self._needs = True
        elif self._to_verify(asked, status, value):
            self.provided[name] = self._entry(asked, status=VERIFICATION_REQUIRED)
            description = f"The code that was sent to {name}"
            self.fields[name + VERIFICATION] = WalletField(type=sep9.STRING, description=description)
            self._needs = True
        else:
            accepted = document is not None and document.status is DocumentStatus.APPROVED
            self.provided[name] = self._entry(asked, status=ACCEPTED if accepted else PROCESSING)

    def _to_verify(self, asked: AskedField, status: StepStatus, value: Any) -> bool:
        if asked.name not in self._kind.verify or status not in {StepStatus.REQUIRED, StepStatus.REJECTED}:
            return False
        return not is_confirmed(self._records.wallets.verification(self._kyc_id, asked.name), value)

    def _entry(
        self, asked: AskedField, *, optional: bool = False, status: str | UnsetType = UNSET, error: str = ""
    ) -> WalletField:
        field = asked.field
        return WalletField(
            type=sep9.kind_of(field.type),
            description=sep9.description_of(field.name, asked.description, self._lang),
            choices=sep9.choices_of(field.name, field.options, field.type) or UNSET,
            optional=optional or UNSET,
            status=status,
            error=error or UNSET,
        )


def rejected_names(asked: AskedStep, documents: dict[str, Document]) -> frozenset[str]:
    """Return the fields of a rejected step that are to be sent again: its rejected documents, or else all."""
    names = {each.name for each in asked.fields}
    refused = {name for name, found in documents.items() if found.status is DocumentStatus.REJECTED and name in names}
    return frozenset(refused or names)
