"""What a browser would send of the forms of the editor, read from the page."""

import re
from html import unescape
from html.parser import HTMLParser


class _Reader(HTMLParser):
    """Collects the fields of one form, as they stand on the page."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.inside = False
        self.sent: dict[str, str] = {}
        self.area = ""
        self.choices: list[tuple[str, bool]] = []
        self.select = ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.inside = given.get("id") == self.form
        elif not self.inside or "disabled" in given:
            return
        elif tag == "input" and "name" in given and given.get("type") != "file":
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                self.sent[given["name"]] = given.get("value") or ""
        elif tag == "textarea":
            self.area = given["name"]
            self.sent[self.area] = ""
        elif tag == "select":
            self.select, self.choices = given["name"], []
        elif tag == "option" and self.select:
            self.choices.append((given.get("value", ""), "selected" in given))
            self.plain = "value" not in given

    def handle_data(self, data):
        if self.area:
            self.sent[self.area] += data
        elif self.select and self.choices and self.plain:
            self.choices[-1] = (data, self.choices[-1][1])
            self.plain = False

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea":
            self.area = ""
        elif tag == "select" and self.select:
            chosen = [value for value, on in self.choices if on] or [value for value, _ in self.choices]
            self.sent[self.select] = chosen[0]
            self.select = ""


def form_in(page, form="edit"):
    """Return the fields of a form, as a browser sends them when nobody has touched it."""
    reader = _Reader(form)
    reader.feed(page.text)
    return reader.sent


async def press(visitor, page, do, **changes):
    """Send the editor with changes, pressing a button; a change to None takes a field away, like an unticked box."""
    sent = {**form_in(page), **{name.replace("__", "."): value for name, value in changes.items()}, "do": do}
    return await visitor.post("/templates/draft", {name: each for name, each in sent.items() if each is not None})


async def typed(visitor, page, do, changes):
    """The same with the names of the inputs as they are."""
    sent = {**form_in(page), **changes, "do": do}
    return await visitor.post("/templates/draft", {name: each for name, each in sent.items() if each is not None})


async def save(visitor, page, changes):
    """Review, and confirm."""
    shown = await typed(visitor, page, "review", changes)
    return await visitor.post("/templates/draft", {**confirmed(shown), "do": "save"})


def confirmed(page):
    """Return the hidden fields of the question whether to save."""
    text = re.search(r'<form method="post" action="[^"]*/draft".*?</form>', page.text, re.DOTALL)[0]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    assert found, page.words
    return {unescape(name): unescape(value) for name, value in found}
