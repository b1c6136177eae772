"""Attacks on the pages of templates: markup in every text, forms that are not ours, forms that are too large."""

import io
import json
from urllib.parse import urlencode

from editing import form_in, typed

EVIL = "</textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`{{7919*7927}}{%x%}"
NAMES = "'\"><svg onload=alert(1)>"
SCHEMA = {
    "title": EVIL,
    "hint": EVIL,
    "titles": {"es": EVIL, NAMES: EVIL},
    EVIL: EVIL,
    "sections": [
        {
            "title": EVIL,
            "hint": EVIL,
            "fields": [
                {"name": NAMES, "type": "text", "label": EVIL, "hint": EVIL, "labels": {"es": EVIL}, "pattern": EVIL,
                 "autocomplete": EVIL, "max_length": EVIL, "min_length": EVIL},
                {"name": EVIL[:120], "type": "select", "options": [{"value": EVIL, "label": EVIL, "labels": {"es": EVIL}}, EVIL]},
                {"name": "d", "type": "date", "min": EVIL, "max": EVIL, "shown_if": {"field": EVIL[:120], "is": EVIL}},
                {"name": "m", "type": "multi_select", "options": [EVIL], "hints": {"es": EVIL}},
                {"name": "t", "type": "textarea", "label": "\n" + EVIL, "shown_if": {"field": NAMES, "is": EVIL}},
                {"name": "b", "type": "boolean", "shown_if": EVIL, "labels": EVIL},
            ],
        }
    ],
}  # fmt: skip


def harmless(page):
    """Tell whether no markup of the attack arrived as markup."""
    return not any(
        part in page.text for part in ("<script>alert", "<img src=x", "<svg", "62773913", "</textarea></script>")
    )


async def test_no_text_of_a_template_becomes_markup(office, ann):
    await office.template(name=EVIL[:200], description=EVIL, form_schema=SCHEMA, requirements={"documents": [EVIL]})
    pages = [await ann.get("/templates"), await ann.get("/templates/1"), await ann.get("/templates/new?from=1")]
    page = pages[1]
    assert form_in(page)["name"] == EVIL[:200]
    assert form_in(page)["description"] == EVIL
    for do in ("redraw", "view json", "hand-in", "up sections[0].fields[1]", "speak"):
        answers = {f"answer.{number}": EVIL for number in range(6)}
        pages.append(await typed(ann, page, do, {**answers, "language": EVIL, "preview_language": EVIL}))
    for target in ("side", "preview", "editor"):
        named = {"HX-Request": "true", "HX-Target": target}
        sent = {**form_in(page), "level": EVIL, "code": EVIL, "do": "hand-in"}
        pages.append(await ann.post("/templates/draft", sent, headers=named))
    clean = {name: "" for name in form_in(page) if name.endswith(("min_length", "max_length"))}
    shown = await typed(ann, page, "review", {**clean, "name": NAMES, "sections[0].fields[0].name": EVIL[:90] + "x"})
    assert "What changes" in shown.words
    pages += [shown, await ann.get("/templates/1/status?to=archive")]
    saved = await typed(ann, page, "save", clean)
    pages.append(await typed(ann, page, "review", clean))
    assert saved.status == 303
    assert "Somebody has changed" in pages[-1].words
    for number, each in enumerate(pages):
        assert each.status == 200
        assert harmless(each), (number, each.text)


async def test_a_form_without_the_word_changes_nothing(office, ann):
    await office.template()
    sent = {**form_in(await ann.get("/templates/1")), "name": "x", "do": "save"}
    for word in ("", "0" * 64):
        assert (await ann.post("/templates/draft", {**sent, "word": word})).status == 403
        assert (await ann.post("/templates/1/status", {"to": "disable", "version": "1", "word": word})).status == 403
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await ann.post("/templates/draft", sent, headers=headers)).status == 403
    held = office.app.core.cache.template(1)
    assert (held.version, held.name, held.status) == (1, "Identity", 0)


async def test_nobody_who_is_not_signed_in_sees_or_sends_anything(office, visitors):
    stranger = visitors(office)
    await office.template()
    for path in ("/templates", "/templates/rows", "/templates/1", "/templates/new", "/templates/1/status?to=disable"):
        assert (await stranger.get(path)).place.startswith("/backoffice/sign-in")
    for path in ("/templates/draft", "/templates/1/status"):
        assert (await stranger.post(path, {"do": "save"})).place == "/backoffice/sign-in"


async def test_a_large_form_is_edited_and_one_that_is_too_large_is_refused(office, ann):
    fields = [{"name": f"field_{number}", "type": "text", "label": "x" * 50} for number in range(150)]
    await office.template(form_schema={"sections": [{"fields": fields}]})
    page = await ann.get("/templates/1")
    assert (await typed(ann, page, "save", {"name": "Large"})).status == 303
    too_large = io.BytesIO(urlencode({**form_in(page), "form_schema": "x" * 1_100_000}).encode())
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await ann.ask("POST", "/backoffice/templates/draft", data=too_large, headers=kind)
    assert (answer.status, "at most 1048576 bytes" in answer.words) == (400, True)
    form = json.dumps({"sections": [{"title": "x" * 262_200}]})
    answer = await ann.post("/templates/draft", {**form_in(page), "form_schema": form, "view": "json", "do": "save"})
    assert "together have at most 256 KiB as JSON" in answer.words


async def test_a_form_of_anything_is_answered(office, ann):
    await office.template()
    page = await ann.get("/templates/1")
    sent = form_in(page)
    odd = (
        "",
        "x",
        "-1",
        "9" * 15,
        "\x00",
        "{}",
        "[]",
        "null",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    )
    for name in (*sent, "do", "languages", "language", "documents", "sections[0].fields[0].name"):
        if name in {"word", "id"}:
            continue
        for text in odd:
            answer = await ann.post("/templates/draft", {**sent, name: text})
            assert answer.status == 200, (name, text, answer.words)
    shapes = (
        {"name": [], "type": []},
        {"name": {}, "shown_if": {"field": [], "is": {}}},
        {"name": "a", "shown_if": {"field": {}}},
    )
    for shape in shapes:
        form = json.dumps({"sections": [{"fields": [shape, {"name": "b", "type": "boolean"}]}]})
        for do in ("redraw", "add-field sections[0]", "up sections[0].fields[1]", "review", "view json", "unspeak es"):
            more = {"sections[0].fields[0].name": "a", "sections[0].fields[1].name": "c", "form_schema": form, "do": do}
            assert (await ann.post("/templates/draft", {**sent, **more})).status == 200, (shape, do)
    for origin in ({"status": 9}, {"step_type": "x"}, {"status": "x"}, {"status": "1"}, {"form_schema": 1}):
        kept = json.dumps({**json.loads(sent["origin"]), **origin})
        for do in ("redraw", "review"):
            assert (
                await ann.post("/templates/draft", {**sent, "origin": kept, "version": "7", "do": do})
            ).status == 200
    for text in odd:
        assert (await ann.post("/templates/draft", {**sent, "id": text})).status in {200, 404}
    assert (await ann.post("/templates/draft", {})).status == 200
