"""The Big List of Naughty Strings as every text a stranger may choose: refused or kept to the byte, never a 5xx."""

import json
import re
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest

from storagemanager.names import clean_name

STRINGS = [text for text in json.loads((Path(__file__).parent / "data" / "naughty_strings.json").read_text()) if text]
MADE = [
    "..",
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/passwd",
    "C:\\CON",
    "NUL.txt",
    "a\u202egnp.exe",
    "a\r\nSet-Cookie: a=b",
    "a\nb",
    "a\x85b",
    "a\u2028b",
    '"; filename="b',
    "%00",
    "%0d%0aX: y",
    "~",
    "-rf",
    "$(id)",
    "x" * 10_000,
    "\U0001f600" * 50,
    "\ufeff",
    "a'b,]",
]
TEXTS = [*STRINGS, *MADE]
BRAND = "acme"
NAME_ON_DISK = re.compile(r"[0-9a-f-]{36}\.txt(\.[a-z]+)?")


def judged(answer):
    """Return whether a request was taken; a refusal is the caller's fault and says so."""
    assert answer["status"] in {200, 400, 404, 409}, answer
    return answer["status"] == 200


def test_the_list_is_whole():
    assert len(STRINGS) > 450


def test_names_and_descriptions_of_templates(target, line):
    token, kept = target.token(), 0
    for number, text in enumerate(TEXTS):
        data = {"brand": BRAND, "code": f"name-{number}", "level": 1, "name": text, "description": text}
        answer = line.ask("MngAddKycStepTemplate", data, token)
        if judged(answer):
            kept += 1
            assert answer["data"]["template"]["name"] == text
            assert answer["data"]["template"]["description"] == text
            shown = line.good("MngGetKycStepTemplates", {"brand": BRAND, "code": f"name-{number}"}, token)
            assert shown["rows"][0]["name"] == text
    assert kept > 300


@pytest.mark.parametrize("packed", [False, True])
def test_brands_and_codes(target, line, packed):
    """Both are made of few letters: what else there is, is no brand and no code, also in a query."""
    boss = target.token(brands=None)
    for text in TEXTS:
        for command, data in (
            ("MngAddKycStepTemplate", {"brand": text, "code": "naughty", "level": 1, "name": "n"}),
            ("MngAddKycStepTemplate", {"brand": "codes", "code": text, "level": 1, "name": "n"}),
            ("MngSetKycRequiredLevel", {"customer_id": 1, "brand": text, "level": 1}),
            ("MngRequireKycStep", {"customer_id": 1, "brand": BRAND, "step_code": text}),
            ("MngGetKycProfile", {"customer_id": 1, "brand": text}),
            ("MngGetKycDocuments", {"brand": BRAND, "type": text}),
        ):
            answer = line.ask(command, data, boss, packed=packed)
            if judged(answer) and command.startswith(("MngAdd", "MngSet")):
                assert text.isascii()
                assert not set(text) & set("/\\\r\n\"'<>%\0 ")


def test_channels(target, line):
    channels = [f"{front}{text[:150]}" for text in TEXTS for front in ("", "kyc:", "kyc:acme:")]
    for text in channels:
        assert line.ask("Subscribe", {"chanels": [text]}, target.customer(72))["status"] in {200, 400, 403}


def test_brands_in_tokens_and_paths(target, http):
    token = target.token()
    for text in TEXTS:
        quoted = quote(text, safe="")[:6000]
        for path in (
            f"/manager/kyc/profiles/{quoted}",
            f"/storage/{quoted}",
            f"/{quoted}",
            f"/manager/kyc/profiles?brand={quoted}",
            f"/manager/kyc/templates?code={quoted}&brand={BRAND}",
        ):
            answer = http.request("GET", path, token)
            assert answer.status in {200, 400, 404}, (path, answer)
            assert b"set-cookie" not in answer.head.lower()


def test_answers_comments_and_reasons(target, line):
    manager, customer = target.token(), target.customer(70)
    form = {"sections": [{"fields": [{"name": "said", "type": "text"}]}]}
    template = {"brand": BRAND, "code": "said", "level": 90, "name": "Said", "step_type": 1, "form_schema": form}
    line.good("MngAddKycStepTemplate", template, manager)
    line.good("MngRequireKycStep", {"customer_id": 70, "brand": BRAND, "step_code": "said"}, manager)
    (step,) = [each for each in line.good("CustomerGetKycStatus", {}, customer)["steps"] if each["code"] == "said"]
    for text in TEXTS:
        sent = {"id": step["id"], "answers": {"said": text}}
        if judged(line.ask("CustomerSaveKycAnswers", sent, customer)):
            shown = line.good("MngGetKycStep", {"id": step["id"]}, manager)
            assert shown["step"]["answers"] == {"said": text}
        line.good("CustomerSubmitKycStep", {"id": step["id"], "answers": {"said": "x"}}, customer)
        decided = {"id": step["id"], "comment": text, "reason": text}
        if judged(line.ask("MngRejectKycStep", decided, manager)):
            shown = line.good("MngGetKycStep", {"id": step["id"]}, manager)["step"]
            assert (shown["comment"], shown["reason"]) == (text, text)
        else:
            line.good("MngRejectKycStep", {"id": step["id"], "reason": "unclear"}, manager)


def form_of(name):
    """Spell a form as browsers do, quotes and line ends percent-encoded; return the name that this says, too."""
    written = name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    quoted = written.replace("\\", "\\\\")
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{quoted}.txt"\r\n\r\n'
    return head.encode() + b"a text\n\r\n--b--\r\n", f"{written}.txt"


def test_names_of_files(target, http):
    """They stay in their column: nothing of them is in a path, a header is never split; what is shown, is kept."""
    token = target.token()
    kept = {}
    for text in TEXTS:
        star = f"attachment; filename*=UTF-8''{quote(text, safe='')}.txt"
        if len(star) < 8000:
            answer = http.request("POST", "/upload", token, b"a text\n", {"Content-Disposition": star})
            assert answer.status in {200, 400}, answer
            if answer.status == 200:
                kept[answer.data["file_id"]] = f"{text}.txt"
        body, name = form_of(text)
        answer = http.request("POST", "/upload", token, body, {"Content-Type": "multipart/form-data; boundary=b"})
        assert answer.status in {200, 400}, answer
        if answer.status == 200:
            kept[answer.data["file_id"]] = name
    assert len(kept) > 600
    for file_id in kept:
        answer = http.request("GET", f"/storage/{file_id}", token)
        assert (answer.status, answer.body) == (200, b"a text\n")
        assert b"\r\nset-cookie" not in answer.head.lower()
        assert all(b": " in each for each in answer.head.split(b"\r\n")[1:])
    look_at_disk(target, kept)


def look_at_disk(target, kept):
    with sqlite3.connect(f"file:{target.folder}/bases/storage.db?mode=ro", uri=True) as base:
        told = dict(base.execute("SELECT uuid, original_name FROM files").fetchall())
    base.close()
    # control characters and the spaces around a name are dropped, an endless one is cut: all else is as it came
    assert {file_id: (told[file_id], name) for file_id, name in kept.items() if told[file_id] != clean_name(name)} == {}
    whole = [name for file_id, name in kept.items() if told[file_id] == name]
    assert len(whole) > 0.9 * len(kept)
    found = [path.name for path in (target.folder / "storage").rglob("*") if path.is_file()]
    assert {name.partition(".")[0] for name in found} == set(kept)
    assert [name for name in found if not NAME_ON_DISK.fullmatch(name)] == []
