"""What the customers' pages say: the same in every language, for every refusal; what a step asks; dates and sizes."""

import json
import re
from importlib.resources import files

import pytest

from kycmanager.domain.enums import DocumentStatus, StepStatus, StepType
from kycmanager.domain.errors import Code, KycError
from kycmanager.pages.messages import Messages
from kycmanager.portal import asked, telling
from kycmanager.portal.application import PACKAGES, accepted
from kycmanager.portal.paths import own_page
from kycmanager.portal.shell import SAID
from storagemanager import StorageErrorCode

MESSAGES = Messages(PACKAGES)
EN, ES = MESSAGES.of("en"), MESSAGES.of("es")
FOLDER = files("kycmanager.portal")
PLACES = re.compile(r"\{\w+\}")


def step(kind=StepType.MIXED, status=StepStatus.REQUIRED, **more):
    return {"id": 1, "step_type": kind, "status": status, "form_schema": {}, "requirements": {}, "answers": {}, **more}


def document(type_="", status=0, step_id=1):
    return {"type": type_, "status": status, "step_id": step_id}


def test_every_language_says_the_same_and_fills_the_same_places():
    for words in MESSAGES.by_language.values():
        assert words.keys() == EN.keys()
        for key in sorted(EN.keys()):
            assert words(key).strip()
            assert sorted(PLACES.findall(words(key))) == sorted(PLACES.findall(EN(key))), key
    assert set(MESSAGES.by_language) >= {"en", "es"}


def test_no_key_of_a_page_is_missing_and_none_is_left_over():
    own = json.loads((FOLDER / "messages" / "en.json").read_text("utf-8"))
    folders = (FOLDER / "templates", FOLDER / "templates" / "parts")
    texts = [item.read_text("utf-8") for folder in folders for item in folder.iterdir() if item.is_file()]
    texts += [item.read_text("utf-8") for item in FOLDER.iterdir() if item.name.endswith(".py")]
    said = {key for text in texts for key in re.findall(r'"((?:[a-z_]+\.)+[a-z_0-9]+)"', text)}
    built = (
        "month.",
        "state.",
        "coming.",
        "said.",
        "document.",
        "document_state.",
        "side.",
        "file.",
        "refused.",
        "next.",
    )
    assert {key for key in own if not key.startswith(built)} - said == {"date", "language"}
    for text in texts:
        for key in re.findall(r'\bt\("([^"~]+)"[,)]', text):
            assert key in EN, key


@pytest.mark.parametrize("words", [EN, ES], ids=["en", "es"])
def test_every_refusal_is_said_with_what_to_do(words):
    for code in Code:
        told, following = telling.refusal(KycError(code, "x"), words)
        assert told
        assert following
    for name in SAID:
        assert words(f"said.{name}")
    for status in DocumentStatus:
        assert status is DocumentStatus.DELETED or words(f"document_state.{int(status)}")


REFUSED = [
    StorageErrorCode.EMPTY,
    StorageErrorCode.REFUSED_TYPE,
    StorageErrorCode.SIGNATURE_MISMATCH,
    StorageErrorCode.STRUCTURE,
    StorageErrorCode.ACTIVE_CONTENT,
    StorageErrorCode.MALWARE,
]


@pytest.mark.parametrize("code", REFUSED)
@pytest.mark.parametrize("words", [EN, ES], ids=["en", "es"])
def test_every_refusal_of_a_file_has_words_of_its_own(code, words):
    error = KycError(
        Code.INVALID_FILE, "file: x", {"errors": [{"field": "file", "code": code.lower(), "message": "x"}]}
    )
    assert telling.file_refusal(error, words, file_bytes_max=1) == words(f"file.{code.lower()}")


def test_a_refusal_of_a_file_that_is_new_is_told_in_general():
    error = KycError(Code.INVALID_FILE, "file: x", {"errors": [{"code": "brand_new"}]})
    assert (
        telling.file_refusal(error, EN, file_bytes_max=1)
        == "Something failed here. Try again. If it happens again, write to us."
    )
    assert "nothing was changed" in telling.file_refusal(KycError(Code.OVERLOADED, "x"), EN, file_bytes_max=1).lower()


def test_dates_and_sizes_are_said_in_words():
    assert (telling.date(1_800_000_000, EN), telling.date(1_800_000_000, ES)) == (
        "15 January 2027",
        "15 de enero de 2027",
    )
    assert telling.date(0, EN) == ""
    assert [telling.size(count, ES) for count in (5, 1500, 2_500_000)] == ["5 bytes", "1,5 KB", "2,5 MB"]


@pytest.mark.parametrize(
    ("documents", "slots"),
    [
        (None, [("", "A document", True)]),
        ("passport", [("", "A document", True)]),
        ([], [("", "A document", True)]),
        (["passport", "house_key"], [("passport", "Passport", True), ("house_key", "House key", True)]),
        ([{"type": "id_card", "sides": True}], [("id_card_front", "Identity card: front", True), ("id_card_back", "Identity card: back", True)]),
        ([{"type": "id_card", "sides": ["inside", 7, ""]}], [("id_card_inside", "Identity card: inside", True)]),
        ([{"type": "x", "label": "L", "labels": {"es": "E"}, "required": False}], [("x", "L", False)]),
        ([{"label": "Anything"}, 7, None, {"type": 7}], [("", "Anything", True)]),
        ([{"type": "x" * 100}], [("x" * 64, "X" + "x" * 99, True)]),
    ],
)  # fmt: skip
def test_what_documents_a_step_asks(documents, slots):
    found = asked.slots(step(requirements={"documents": documents}), (), EN)
    assert [(slot.type, slot.label, slot.required) for slot in found] == slots


def test_documents_stand_where_they_belong_and_the_rest_comes_last():
    listed = {"documents": ["passport", "selfie"]}
    given = [document("passport", DocumentStatus.REJECTED), document("letter"), document("selfie")]
    passport, selfie, rest = asked.slots(step(requirements=listed), given, EN)
    assert [(len(slot.documents), slot.filled) for slot in (passport, selfie, rest)] == [
        (1, False),
        (1, True),
        (1, True),
    ]
    assert (selfie.is_face, rest.label, rest.required) == (True, "Other files", False)


@pytest.mark.parametrize(
    ("given", "documents", "state"),
    [
        (step(), (), "todo"),
        (step(answers={"a": 1}), (), "begun"),
        (step(), (document(),), "begun"),
        (step(), (document(step_id=2),), "todo"),
        (step(StepType.PROVIDER), (), "elsewhere"),
        (step(StepType.MANUAL, form_schema={"sections": [{"fields": [{"name": "a", "type": "text"}]}]}), (), "todo"),
        (step(status=StepStatus.PENDING), (), "pending"),
        (step(status=StepStatus.APPROVED), (), "approved"),
        (step(status=StepStatus.REJECTED), (), "rejected"),
    ],
)
def test_where_a_step_stands(given, documents, state):
    assert asked.state(given, documents) == state
    assert f"state.{state}" in EN


@pytest.mark.parametrize(
    ("states", "coming"),
    [
        ([], "nothing"),
        (["approved"], "done"),
        (["approved", "elsewhere"], "pending"),
        (["pending", "begun"], "todo"),
        (["todo", "rejected"], "rejected"),
    ],
)
def test_what_comes_next(states, coming):
    assert asked.coming(states) == coming
    assert f"coming.{coming}.more" in EN


def test_a_questionnaire_asks_for_no_file_unless_it_says_so():
    assert not asked.takes_documents(step(StepType.QUESTIONNAIRE))
    assert asked.takes_documents(step(StepType.QUESTIONNAIRE, requirements={"documents": ["passport"]}))


def test_what_a_browser_offers_to_choose():
    assert accepted(("png", "pdf")) == "image/*,.png,.pdf"
    assert accepted(("pdf",)) == ".pdf"


def test_where_to_go_back_to():
    assert own_page("/portal/steps/1") == "/portal/steps/1"
    assert own_page("//evil") == "/portal/"
