"""The editor of templates: as people edit it, as JSON, with faults at their fields, confirmed, and saved."""

import re
from html import unescape

import pytest

INPUT = re.compile(r"<(?:input|textarea|select)\b[^>]*>")
SCHEMA = {
    "title": "About you",
    "sections": [
        {"title": "You", "fields": [{"name": "full_name", "type": "text", "required": True, "max_length": 80}]},
        {"fields": [{"name": "job", "type": "select", "options": [{"value": "own", "label": "Own"}, "paid"]}]},
    ],
}


def form_in(page, form="edit"):
    """Return what a browser would send of a form that is not changed."""
    text = re.search(rf'<form id="{form}".*?</form>', page.text, re.DOTALL)[0]
    sent = {}
    for found in re.finditer(r"<input ([^>]*)>", text):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', found[1]))
        ticked = attributes.get("type") not in {"checkbox", "radio"} or re.search(r"\bchecked\b", found[1])
        if "name" in attributes and ticked:
            sent[unescape(attributes["name"])] = unescape(attributes.get("value", ""))
    for found in re.finditer(r"<textarea ([^>]*)>(.*?)</textarea>", text, re.DOTALL):
        sent[unescape(re.search(r'name="([^"]*)"', found[1])[1])] = unescape(found[2])
    for found in re.finditer(r"<select([^>]*)>(.*?)</select>", text, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', found[2]) or re.search(
            r'<option(?: value="([^"]*)")?>([^<]*)', found[2]
        )
        sent[unescape(re.search(r'name="([^"]*)"', found[1])[1])] = unescape(
            chosen[2] if chosen[1] is None else chosen[1]
        )
    return sent


def template(office, template_id=1):
    return office.app.core.cache.template(template_id)


async def edit(visitor, page, do, **changes):
    return await visitor.post("/templates/draft", {**form_in(page), **changes, "do": do})


async def test_a_form_that_is_sent_as_it_came_changes_nothing(office, ann):
    await office.template(form_schema=SCHEMA, requirements={"documents": ["passport"], "x": 1}, description="a\nb")
    before = template(office)
    page = await ann.get("/templates/1")
    assert page.status == 200
    page = await edit(ann, page, "review")
    assert "Nothing: it is saved as it was." in page.words
