"""The end of the day: the audit, compared row by row and shown as a table."""

from datetime import UTC, datetime

from rich.table import Table

from kycmanager.demo.people import ADMINISTRATOR_ID, BRAND, CUSTOMER_ID, REVIEWER_ID, WORKFLOW_ID, People
from kycmanager.demo.story import Story
from kycmanager.domain.enums import DocumentStatus, ProfileStatus, StepStatus, TemplateStatus
from kycmanager.domain.records import AuditRow

NAMES = {ADMINISTRATOR_ID: "Anna", REVIEWER_ID: "Boris", WORKFLOW_ID: "Workflow", CUSTOMER_ID: "Maria"}

EXPECTED = (
    ("Anna", "template.added", "rest", ""),
    ("Anna", "template.added", "rest", ""),
    ("Anna", "template.added", "rest", ""),
    ("Workflow", "profile.created", "workflow", ""),
    ("Workflow", "profile.required_level", "workflow", "deposit of 5000 EUR"),
    ("Maria", "document.added", "rest", ""),
    ("Maria", "step.submitted", "rest", ""),
    ("Maria", "document.added", "rest", ""),
    ("Maria", "step.submitted", "rest", ""),
    ("Maria", "step.submitted", "rest", ""),
    ("Boris", "document.approved", "tcp", ""),
    ("Boris", "step.approved", "tcp", ""),
    ("Boris", "document.rejected", "tcp", "too_old"),
    ("Boris", "step.rejected", "tcp", "too_old"),
    ("Maria", "document.added", "rest", ""),
    ("Maria", "step.submitted", "rest", ""),
    ("Boris", "step.approved", "tcp", ""),
    ("Boris", "step.approved", "tcp", ""),
)
"""Who did what, by which way in, and why, oldest first; refusals changed nothing and left no row."""

_STATUSES = {
    "template": TemplateStatus,
    "profile": ProfileStatus,
    "step": StepStatus,
    "document": DocumentStatus,
}


async def show_audit(story: Story, people: People) -> None:
    """Compare the audit of the day with what was done, and show it. Raises Unexpected."""
    story.scene("The day in the audit")
    reply = await people.boris.mng_get_kyc_audit(brand=BRAND)
    rows = reply.rows[::-1]
    came = tuple((_name(row), row.action, row.source, row.reason) for row in rows)
    for number, expected in enumerate(EXPECTED):
        text = f"row {number + 1}: {expected[0]}, {expected[1]}"
        story.check("the audit", text, came=came[number : number + 1], expected=(expected,))
    story.check("the audit", f"has {len(EXPECTED)} rows", came=reply.count, expected=len(EXPECTED))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("#", "time", "who", "what", "object", "from", "to", "way in", "reason"):
        table.add_column(heading)
    for row in rows:
        time = datetime.fromtimestamp(row.time, UTC).strftime("%H:%M:%S")
        before, after = _moved(row)
        table.add_row(str(row.id), time, _name(row), row.action, _object(row), before, after, row.source, row.reason)
    story.table(table)


def _name(row: AuditRow) -> str:
    return NAMES.get(row.actor_id, str(row.actor_id))


def _object(row: AuditRow) -> str:
    kind = row.action.partition(".")[0]
    number = {"template": row.template_id, "profile": row.kyc_id, "step": row.step_id, "document": row.document_id}
    return f"{kind} {number[kind]}"


def _moved(row: AuditRow) -> tuple[str, str]:
    statuses = _STATUSES[row.action.partition(".")[0]]
    return statuses(row.old_status).name.lower(), statuses(row.new_status).name.lower()
