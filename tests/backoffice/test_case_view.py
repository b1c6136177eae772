"""What the page of a case makes of records: moves, marks, pairs, and the lines of its history."""

import pytest

from kycmanager.backoffice.case_story import Names, told
from kycmanager.backoffice.case_view import beside, document_moves, file_ids, mark_of, step_moves, step_rows
from kycmanager.contract.feed import ACTIONS
from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.pages.messages import Messages

WORDS = Messages(("kycmanager.pages",)).of("en")

STEP = {
    "id": 1, "version": 1, "name": "Identity", "code": "identity", "level": 1, "form_schema": {}, "answers": {},
    "status": 1, "step_type": 1, "reviewed_time": 0, "updated_time": 10, "reason": "", "comment": "",
    "customer_id": 7, "brand": "acme",
}  # fmt: skip
DOCUMENT = {
    "id": 1, "version": 1, "step_id": 1, "type": "passport", "file_name": "a.jpg", "file_id": "f1", "status": 1,
    "created_time": 10, "content_type": "image/jpeg", "reason": "", "comment": "",
}  # fmt: skip


def names(moves):
    return list(dict.fromkeys(move.name for move in moves))


@pytest.mark.parametrize(
    ("status", "kind", "moves"),
    [
        (StepStatus.REQUIRED, StepType.QUESTIONNAIRE, ["skip"]),
        (StepStatus.REQUIRED, StepType.MANUAL, ["approve", "skip"]),
        (StepStatus.PENDING, StepType.DOCUMENT, ["approve", "reject"]),
        (StepStatus.APPROVED, StepType.MANUAL, []),
        (StepStatus.REJECTED, StepType.MIXED, ["reopen"]),
        (StepStatus.EXPIRED, StepType.MIXED, []),
        (StepStatus.SKIPPED, StepType.MANUAL, []),
    ],
)
def test_only_what_the_table_allows_is_offered(status, kind, moves):
    assert names(step_moves(status, kind)) == moves


@pytest.mark.parametrize(
    ("status", "moves"),
    [
        (DocumentStatus.UPLOADED, ["approve", "reject"]), (DocumentStatus.PENDING, ["approve", "reject"]),
        (DocumentStatus.APPROVED, ["reject"]), (DocumentStatus.REJECTED, []), (DocumentStatus.EXPIRED, []),
        (DocumentStatus.DELETED, []),
    ],
)  # fmt: skip
def test_documents_too(status, moves):
    assert names(document_moves(status)) == moves


def test_an_approval_may_end_by_itself():
    for moves in (step_moves(StepStatus.PENDING, StepType.DOCUMENT), document_moves(DocumentStatus.UPLOADED)):
        assert [(move.key, move.dialog) for move in moves if move.name == "approve"] == [("a", ""), ("e", "approve")]


def rows(steps, documents=(), duplicates=()):
    return step_rows({"steps": list(steps), "documents": list(documents)}, duplicates, [], WORDS)


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, ""), ({"reviewed_time": 10}, "handed in again since the last decision"),
        ({"reviewed_time": 10, "status": 3}, ""),
        ({"reviewed_time": 10, "status": 3, "updated_time": 11}, "changed since the last decision"),
        ({"reviewed_time": 10, "status": 2, "updated_time": 11}, "changed since the last decision"),
        ({"reviewed_time": 10, "status": 4, "updated_time": 11}, ""),
    ],
)  # fmt: skip
def test_what_changed_after_the_last_decision_is_marked(fields, changed):
    ((row,), _) = rows([{**STEP, **fields}])
    assert row["changed"] == changed


def test_documents_that_came_after_the_last_decision_are_marked():
    documents = [{**DOCUMENT, "id": number, "created_time": time, "status": status}
                 for number, time, status in ((1, 9, 1), (2, 10, 1), (3, 11, 3))]  # fmt: skip
    ((row,), loose) = rows([{**STEP, "reviewed_time": 10}], [*documents, {**DOCUMENT, "id": 4, "step_id": 0}])
    assert [document["changed"] for document in row["documents"]] == ["", "new since the last decision", ""]
    assert [document["id"] for document in loose] == [4]
    assert rows([STEP], [DOCUMENT])[0][0]["documents"][0]["changed"] == ""


def test_steps_stand_by_level():
    made, _ = rows([{**STEP, "id": 1, "level": 2}, {**STEP, "id": 2}])
    assert [row["id"] for row in made] == [2, 1]


def test_any_change_makes_another_mark():
    base = {"profile": {"version": 1}, "steps": [STEP], "documents": [DOCUMENT]}
    changed = [
        {**base, "profile": {"version": 2}}, {**base, "steps": [{**STEP, "version": 2}]},
        {**base, "documents": [{**DOCUMENT, "version": 2}]}, {**base, "documents": []},
        {**base, "steps": [], "documents": [STEP]}, {**base, "documents": [DOCUMENT, {**DOCUMENT, "id": 2}]},
    ]  # fmt: skip
    assert len({mark_of(each) for each in (base, *changed)}) == 7
    assert mark_of(base) == mark_of({**base, "notes": []})


def test_front_and_back_belong_together():
    documents = [{**DOCUMENT, "id": number, "file_id": f"f{number}", "step_id": number // 4} for number in range(1, 7)]
    found = {"documents": documents, "steps": []}
    assert [beside(found, f"f{number}") for number in range(1, 8)] == ["f2", "f3", "f2", "f5", "f6", "f5", ""]
    assert beside({"documents": [DOCUMENT, {**DOCUMENT, "id": 2}]}, "f1") == ""


def test_files_of_answers_belong_to_the_case():
    file_id = "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c"
    schema = {"sections": [{"fields": [{"name": "proof", "type": "file_reference"}]}]}
    answering = {**STEP, "form_schema": schema, "answers": {"proof": file_id}}
    assert file_ids({"steps": [answering], "documents": [DOCUMENT]}) == {file_id: 0, "f1": 1}


class Somebody:
    def name(self, session, sub):
        return f"{session}/{sub}"


def row(action, **fields):
    base = {
        "id": 1, "time": 5, "action": action, "actor_session": 1, "actor_id": 2, "step_id": 0, "document_id": 0,
        "old_status": 0, "new_status": 0, "reason": "", "comment": "", "details": {},
    }  # fmt: skip
    return {**base, **fields}


def test_the_history_is_told_in_words():
    lines = told(
        [
            row("step.rejected", step_id=1, old_status=1, new_status=3, reason="forged", comment="no seal"),
            row("document.added", document_id=9, actor_session=9),
            row("step.expired", step_id=8, actor_session=4, actor_id=0, old_status=2, new_status=4),
            row("profile.risk", details={"new_risk": 3}, old_status=2, new_status=2),
            row("profile.required_level", details={"requested_level": 2}),
            row("verification.code", details={"field": "email_address"}, actor_session=9),
            row("keys.rotated"),
        ],
        Somebody(),
        Names({1: "Identity"}, {}, {"forged": "Altered or forged"}),
    )
    assert [(line.who, line.did, line.what, line.moved, line.reason, line.comment) for line in lines] == [
        ("1/2", "rejected", "Identity", ("pending", "rejected"), "Altered or forged", "no seal"),
        ("the customer", "attached", "document 9", None, "", ""),
        ("the daemon", "ended the approval of", "step 8", ("approved", "expired"), "", ""),
        ("1/2", "set the risk to", "high", None, "", ""),
        ("1/2", "asked for level", "2", None, "", ""),
        ("the customer", "was made a code for", "email address", None, "", ""),
        ("1/2", "keys.rotated", "", None, "", ""),
    ]


def test_the_history_has_words_for_all_that_happens_to_a_customer():
    of_nobody = {"template", "keys", "user", "token", "filter", "delivery"}
    rows = [row(action) for action, _ in ACTIONS if action.partition(".")[0] not in of_nobody]
    assert [line.did for line in told(rows, Somebody(), Names({}, {}, {})) if "." in line.did] == ["access.search"]


def test_looks_in_a_row_are_one_line():
    lines = told(
        [
            row("access.view"), row("access.view", document_id=1), row("access.view", details={"file_id": "f"}),
            row("access.view", actor_id=3, document_id=1), row("access.view", actor_id=3, document_id=1),
            row("access.download", document_id=1), row("access.view"),
        ],
        Somebody(),
        Names({}, {1: "passport"}, {}),
    )  # fmt: skip
    assert [(line.who, line.did, line.what, line.times) for line in lines] == [
        ("1/2", "looked at", "the case and its files", 3), ("1/3", "looked at", "passport", 2),
        ("1/2", "downloaded", "passport", 1), ("1/2", "looked at", "the case", 1),
    ]  # fmt: skip
