"""The day itself: a customer is asked for papers after a deposit, hands them in, and may open an account at the end."""

from typing import Any

from msgspec import Struct

from kycmanager.client import RemoteError
from kycmanager.commands.customer import SubmittedReply
from kycmanager.commands.profiles import GateReply
from kycmanager.commands.views import CustomerStatusReply
from kycmanager.contract.shapes import UploadReply
from kycmanager.demo.forms import ANSWERS, FAULTS, FAULTY_ANSWERS, FORM
from kycmanager.demo.ledger import show_audit
from kycmanager.demo.people import BRAND, CUSTOMER_ID, People, refusal
from kycmanager.demo.samples import jpeg, pdf
from kycmanager.demo.story import Story
from kycmanager.domain.enums import DocumentStatus, ProfileStatus, StepStatus, StepType

PASSPORT = jpeg([[230, 230, 225, 220, 225, 230], [225, 90, 60, 60, 95, 225], [220, 120, 200, 205, 125, 220]])
OLD_BILL = pdf(["City Power and Light", "Electricity bill, January", "Maria Example, 1 Long Road"])
NEW_BILL = pdf(["City Power and Light", "Electricity bill, last month", "Maria Example, 1 Long Road"])

DEPOSIT = "deposit of 5000 EUR"
DEPOSIT_KEY = "deposit-81273"


class Steps(Struct):
    """The ids of what the customer was asked for."""

    profile: int = 0
    passport: int = 0
    address: int = 0
    questionnaire: int = 0


async def play(story: Story, people: People) -> None:
    """Play the whole day. Raises Unexpected where the daemon does something else."""
    await _morning(story, people)
    steps = await _deposit(story, people)
    await _papers(story, people, steps)
    await _answers(story, people, steps)
    await _review(story, people, steps)
    await _second_try(story, people, steps)
    await _evening(story, people)
    story.check("Boris", "has seen every event", came=people.boris.unread(), expected=[])


async def _morning(story: Story, people: People) -> None:
    story.scene("Morning: what the brand asks for")
    anna, boris = people.anna, people.boris
    told = await boris.subscribe(channels=[f"kyc:{BRAND}"])
    story.tell("Boris", f"opens his desk and follows the brand {BRAND} over TCP", came=told.accepted, expected=True)
    made: tuple[tuple[str, str, int, StepType, dict[str, Any]], ...] = (
        ("passport", "Passport", 1, StepType.DOCUMENT, {}),
        ("address", "Proof of address", 2, StepType.DOCUMENT, {}),
        ("questionnaire", "About you", 2, StepType.QUESTIONNAIRE, FORM),
    )
    for number, (code, name, level, kind, form) in enumerate(made, 1):
        reply = await anna.mng_add_kyc_step_template(
            brand=BRAND, code=code, name=name, level=level, step_type=kind, sort_index=number, form_schema=form
        )
        fields = sum(len(section["fields"]) for section in form.get("sections", []))
        story.tell(
            "Anna",
            f"writes a template for level {level}: {name}, " + (f"{fields} questions" if fields else "a document"),
            came=(reply.template.code, reply.template.level, reply.template.step_type, reply.template.form_schema),
            expected=(code, level, kind, form),
        )
        await boris.sees(f"template.added: {code}")
    wrong = {"sections": [{"fields": [{"name": "age", "type": "years"}]}]}
    refused = await refusal(
        anna.mng_add_kyc_step_template(
            brand=BRAND, code="age", level=2, step_type=StepType.QUESTIONNAIRE, form_schema=wrong
        )
    )
    story.tell(
        "Anna",
        "mistypes a question; the refusal names the place: sections[0].fields[0].type",
        came=_told(refused),
        expected=(400, "INVALID_DATA", ["sections[0].fields[0].type"]),
    )


async def _deposit(story: Story, people: People) -> Steps:
    story.scene("A deposit arrives")
    before = await people.gate()
    story.tell(
        "CRM",
        f"asks the gate for customer {CUSTOMER_ID}: unknown, not allowed",
        came=(before.kyc_profile_id, before.kyc_status, before.allowed),
        expected=(0, ProfileStatus.NONE, False),
    )
    for attempt in ("asks level 2", "repeats its call after a time-out, under the same key: nothing is done twice"):
        told = await people.workflow.kyc_set_required_level(
            customer_id=CUSTOMER_ID, brand=BRAND, level=2, reason=DEPOSIT, idempotency_key=DEPOSIT_KEY
        )
        story.tell("Workflow", f"{DEPOSIT}: {attempt}", came=told.accepted, expected=True)
    await people.boris.sees(
        "step.required: passport is required",
        "step.required: address is required",
        "step.required: questionnaire is required",
        "profile.updated: pending, level 0 of 2",
    )
    gate = await people.gate()
    story.tell(
        "CRM",
        "asks the gate again: not allowed, three steps are missing",
        came=(gate.kyc_required_level, gate.kyc_status, gate.allowed, sorted(step.code for step in gate.missing)),
        expected=(2, ProfileStatus.PENDING, False, ["address", "passport", "questionnaire"]),
    )
    status = await people.maria.customer_get_kyc_status()
    story.tell(
        "Maria",
        "looks into her account: a passport, a proof of address and a few questions are asked of her",
        came=_standing(status),
        expected=(
            ProfileStatus.PENDING,
            dict.fromkeys(("passport", "address", "questionnaire"), StepStatus.REQUIRED),
        ),
    )
    ids = {step.code: step.id for step in status.steps}
    return Steps(profile=gate.kyc_profile_id, **ids)


def _standing(status: CustomerStatusReply) -> tuple[ProfileStatus | None, dict[str, StepStatus]]:
    """Return where a customer stands: the profile, and each step by its code."""
    return (status.profile.status if status.profile else None), {step.code: step.status for step in status.steps}


def _told(refused: RemoteError | None) -> tuple[int, str, list[str]] | str:
    """Return what a refusal says: status, name, and the fields that are wrong."""
    if refused is None:
        return "no refusal"
    return refused.status, refused.error, [fault["field"] for fault in refused.data.get("errors", [])]


async def _papers(story: Story, people: People, steps: Steps) -> None:
    story.scene("Maria hands her papers in")
    maria = people.maria
    refused = await refusal(maria.send(NEW_BILL, "passport.jpg", raw=False))
    story.tell(
        "Maria",
        "sends a PDF named passport.jpg by mistake: content and name do not agree, nothing is stored",
        came=_told(refused),
        expected=(400, "RET_INVALID_DATA", ["file"]),
    )
    refused = await refusal(maria.customer_submit_kyc_step(id=steps.passport))
    story.tell(
        "Maria",
        "hands the passport step in without a document: the missing document is named",
        came=_told(refused),
        expected=(400, "INVALID_DATA", ["documents"]),
    )
    await _hand_in(story, people, PASSPORT, "passport.jpg", steps.profile, steps.passport, raw=False)
    await people.boris.sees(
        "document.added: passport.jpg",
        "document.submitted: passport.jpg",
        "step.submitted: passport is pending",
        "profile.updated: pending, level 0 of 2",
    )
    await _hand_in(story, people, OLD_BILL, "bill.pdf", steps.profile, steps.address, raw=True)
    await people.boris.sees(
        "document.added: bill.pdf",
        "document.submitted: bill.pdf",
        "step.submitted: address is pending",
        "profile.updated: pending, level 0 of 2",
    )


async def _hand_in(
    story: Story, people: People, content: bytes, name: str, kyc_id: int, step_id: int, *, raw: bool
) -> None:
    """Upload a file, attach it to a step, hand the step in."""
    maria = people.maria
    stored = await maria.send(content, name, raw=raw)
    kind = "application/pdf" if name.endswith(".pdf") else "image/jpeg"
    story.tell(
        "Maria",
        f"uploads {name} as {'a raw body' if raw else 'a form'}: {len(content)} bytes of {kind}",
        came=_stored(stored),
        expected=(name, kind, len(content)),
    )
    made = await maria.customer_add_kyc_document(kyc_id=kyc_id, file_id=stored.file_id, step_id=step_id, type="scan")
    document = made.document
    story.check(
        "Maria",
        f"attaches {name}",
        came=(document.status, document.file_name, document.checksum),
        expected=(DocumentStatus.UPLOADED, name, stored.files[0].checksum),
    )
    handed = await maria.customer_submit_kyc_step(id=step_id)
    story.tell("Maria", f"attaches {name} and hands the step in", came=handed.step.status, expected=StepStatus.PENDING)


def _stored(stored: UploadReply) -> tuple[str, str, int]:
    file = stored.files[0]
    return file.original_name, file.signature, file.file_size


async def _answers(story: Story, people: People, steps: Steps) -> None:
    story.scene("Maria answers the questions")
    refused = await refusal(people.maria.customer_submit_kyc_step(id=steps.questionnaire, answers=FAULTY_ANSWERS))
    errors = refused.data.get("errors", []) if refused else []
    story.tell(
        "Maria",
        f"hands in answers with {len(FAULTS)} faults; all of them are told at once:",
        came=(refused and refused.status, len(errors)),
        expected=(400, len(FAULTS)),
    )
    for error, (field, code) in zip(errors, FAULTS, strict=True):
        story.tell("", f"{field}: {error['message']}", came=(error["field"], error["code"]), expected=(field, code))
    handed: SubmittedReply = await people.maria.customer_submit_kyc_step(id=steps.questionnaire, answers=ANSWERS)
    story.tell(
        "Maria",
        "corrects them and hands the questions in again",
        came=(handed.step.status, handed.step.answers),
        expected=(StepStatus.PENDING, ANSWERS),
    )
    await people.boris.sees("step.submitted: questionnaire is pending", "profile.updated: pending, level 0 of 2")


async def _review(story: Story, people: People, steps: Steps) -> None:
    story.scene("Noon: the back office decides")
    boris = people.boris
    waiting = await boris.mng_get_kyc_documents(brand=BRAND, status=DocumentStatus.PENDING)
    story.tell(
        "Boris",
        "finds two documents waiting for him",
        came=[(row.file_name, row.customer_id) for row in waiting.rows],
        expected=[("passport.jpg", CUSTOMER_ID), ("bill.pdf", CUSTOMER_ID)],
    )
    passport, bill = waiting.rows
    story.tell(
        "Boris",
        "fetches the passport; it is what Maria sent, byte for byte",
        came=await people.files.download(passport.file_id) == PASSPORT,
        expected=True,
    )
    told = [await boris.mng_approve_kyc_document(id=passport.id), await boris.mng_approve_kyc_step(id=steps.passport)]
    story.tell(
        "Boris", "approves the passport and its step", came=[each.accepted for each in told], expected=[True] * 2
    )
    await boris.sees(
        "document.approved: passport.jpg",
        "step.approved: passport is approved",
        f"kyc.step.approved: passport of customer {CUSTOMER_ID}, who is pending now",
        "profile.updated: pending, level 1 of 2",
    )
    told = [
        await boris.mng_reject_kyc_document(id=bill.id, reason="too_old"),
        await boris.mng_reject_kyc_step(id=steps.address, reason="too_old", comment="from January; watch this one"),
    ]
    story.tell("Boris", "rejects the bill: too old", came=[each.accepted for each in told], expected=[True] * 2)
    await boris.sees(
        "document.rejected: bill.pdf",
        "step.rejected: address is rejected",
        f"kyc.step.rejected: address of customer {CUSTOMER_ID}, who is rejected now",
        "profile.updated: rejected, level 1 of 2",
    )
    refused = await refusal(boris.mng_approve_kyc_step(id=steps.address))
    story.tell(
        "Boris",
        "tries to approve what is rejected; the life of a step has no such move",
        came=_told(refused),
        expected=(409, "INVALID_STATE", []),
    )


async def _second_try(story: Story, people: People, steps: Steps) -> None:
    story.scene("Afternoon: the second try")
    seen = (await people.maria.call("CustomerGetKycStep", {"id": steps.address}, dict[str, Any]))["step"]
    story.tell(
        "Maria",
        "reads why her bill was rejected: too_old. What the office noted for itself she is not sent",
        came=(seen["status"], seen["reason"], "comment" in seen, "reviewed_by" in seen),
        expected=(StepStatus.REJECTED, "too_old", False, False),
    )
    await _hand_in(story, people, NEW_BILL, "new-bill.pdf", steps.profile, steps.address, raw=True)
    await people.boris.sees(
        "document.added: new-bill.pdf",
        "document.submitted: new-bill.pdf",
        "step.submitted: address is pending",
        "profile.updated: pending, level 1 of 2",
    )
    boris = people.boris
    told = await boris.mng_approve_kyc_step(id=steps.address)
    story.tell("Boris", "approves the proof of address", came=told.accepted, expected=True)
    await boris.sees(
        "step.approved: address is approved",
        f"kyc.step.approved: address of customer {CUSTOMER_ID}, who is pending now",
        "profile.updated: pending, level 1 of 2",
    )
    told = await boris.mng_approve_kyc_step(id=steps.questionnaire)
    story.tell("Boris", "approves the answers: that was the last step", came=told.accepted, expected=True)
    await boris.sees(
        "step.approved: questionnaire is approved",
        f"kyc.step.approved: questionnaire of customer {CUSTOMER_ID}, who is approved now",
        "profile.updated: approved, level 2 of 2",
    )


async def _evening(story: Story, people: People) -> None:
    story.scene("Evening: the account")
    gate: GateReply = await people.gate()
    story.tell(
        "CRM",
        "asks the gate: allowed. Level 2 of 2, nothing is missing; the account is opened",
        came=(gate.allowed, gate.kyc_status, gate.kyc_current_level, gate.kyc_required_level, gate.missing),
        expected=(True, ProfileStatus.APPROVED, 2, 2, []),
    )
    status = await people.maria.customer_get_kyc_status()
    story.tell(
        "Maria",
        "sees it too: approved, step by step",
        came=_standing(status),
        expected=(
            ProfileStatus.APPROVED,
            dict.fromkeys(("passport", "address", "questionnaire"), StepStatus.APPROVED),
        ),
    )
    await show_audit(story, people)
