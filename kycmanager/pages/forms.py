"""A form_schema as a form of HTML: what to render of it, and the answers in what was sent."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from kycmanager.domain.answers import TEXT_CHARS_MAX, option_key
from kycmanager.domain.countries import COUNTRIES
from kycmanager.domain.form_schema import OPTION_CHARS_MAX, Scalar, is_storable_number, option_value
from kycmanager.pages.messages import Words

NAME = "answer"
"""Inputs are called answer.N, by the number of the field in the form; each choice of many is answer.N.M."""

RADIOS_MAX = 6
"""So many choices stand open below each other; more are folded into a list."""

YES, NO = "yes", "no"

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""Some read this as thousands and some as thousandths: nobody guesses."""

_NUMBER_CHARS_MAX = 400
_PURPOSE = re.compile(r"[a-z0-9 -]{1,60}")


class Choice(Struct, frozen=True, kw_only=True):
    """One thing to choose: `value` is what is sent for it, `id` the place of its input."""

    name: str
    value: str
    label: str
    id: str
    chosen: bool


class Condition(Struct, frozen=True, kw_only=True):
    """When a field is shown: an input of this name has one of these values. Without scripts it is always shown."""

    name: str
    values: tuple[str, ...]


class FieldView(Struct, frozen=True, kw_only=True):
    """One field. `kind` says how it is drawn: input, textarea, select, radios, checks or file.

    `described` are the ids of hint and fault. `file_name` is the file a file_reference points to.
    """

    number: int
    field: str
    kind: str
    name: str
    id: str
    label: str
    hint: str
    required: bool
    value: str
    choices: tuple[Choice, ...]
    attributes: dict[str, str]
    fault: str
    condition: Condition | None
    file_name: str

    @property
    def described(self) -> str:
        """The ids of what is said of the field, "" where nothing is."""
        said = ((self.hint, f"{self.id}-hint"), (self.fault, f"{self.id}-fault"))
        return " ".join([place for text, place in said if text])

    @property
    def target(self) -> str:
        """The id of the input a link to the field leads to."""
        return self.choices[0].id if self.kind in {"radios", "checks"} and self.choices else self.id


class SectionView(Struct, frozen=True, kw_only=True):
    """Some fields under a title; both texts may be ""."""

    title: str
    hint: str
    fields: tuple[FieldView, ...]


class FormView(Struct, frozen=True, kw_only=True):
    """A form ready to be drawn; `faults` of the summary are the id to go to ("" = none), what it is about, and why."""

    title: str
    hint: str
    sections: tuple[SectionView, ...]
    faults: tuple[tuple[str, str, str], ...]
    words: Words


def draw(
    form_schema: Mapping[str, Any],
    answers: Mapping[str, Any],
    words: Words,
    *,
    faults: Iterable[Mapping[str, Any]] = (),
    files: Mapping[str, str] | None = None,
) -> FormView:
    """Return what to render of a checked form_schema.

    `answers` by field, as `read` gives them or as they are kept; `faults` as {field, code} of a refusal; `files` are
    the names of stored files by uuid. Texts of the form: `title`, `label` and `hint`, or the same in a language in
    `titles`, `labels` and `hints`: {"es": "..."}.
    """
    told = {str(fault["field"]): fault for fault in faults}
    listed = list(numbered(form_schema))
    names = {field["name"]: (number, field) for number, field in listed}
    known = files or {}
    views = {
        number: _view(number, field, answers.get(field["name"]), told.get(field["name"]), names, words, known)
        for number, field in listed
    }
    sections = []
    upcoming = iter(listed)
    for section in form_schema.get("sections", ()):
        drawn = [views[next(upcoming)[0]] for _ in section.get("fields", ())]
        title, hint = said(section, "title", words.language), said(section, "hint", words.language)
        sections.append(SectionView(title=title, hint=hint, fields=tuple(drawn)))
    summary = [(view.target, view.label, view.fault) for view in views.values() if view.fault]
    summary += [("", "", fault_text(fault, "", words)) for name, fault in told.items() if name not in names]
    return FormView(
        title=said(form_schema, "title", words.language),
        hint=said(form_schema, "hint", words.language),
        sections=tuple(sections),
        faults=tuple(summary),
        words=words,
    )


def read(form_schema: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, Any]:
    """Return an answer for every field of the form, None where nothing is given.

    What cannot be read as its type stays the text it is, so that the rules of answers name it as a fault and nothing
    that was typed is lost.
    """
    return {field["name"]: _answer(number, field, sent) for number, field in numbered(form_schema)}


def numbered(form_schema: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the fields of a checked form_schema as they are written, with their numbers from 0."""
    number = 0
    for section in form_schema.get("sections", ()):
        for field in section.get("fields", ()):
            yield number, field
            number += 1


def fault_text(fault: Mapping[str, Any], kind: str, words: Words) -> str:
    """Return what is wrong with a field of a type, in the reader's language."""
    code = str(fault.get("code", ""))
    limit = TEXT_CHARS_MAX if kind in {"text", "textarea"} else OPTION_CHARS_MAX
    own = "fault.documents" if not kind and fault.get("field") == "documents" else ""
    keys = (own, f"fault.{code}.{kind}", f"fault.{code}", "fault.other")
    return words.first(*keys, limit=f"{limit:,}".replace(",", "\u202f"))


def said(thing: Mapping[str, Any], key: str, language: str) -> str:
    """Return a text of the form in a language, in any where it has none of its own."""
    texts = thing.get(f"{key}s")
    by_language = texts if isinstance(texts, dict) else {}
    candidates = (by_language.get(language), thing.get(key), *by_language.values())
    return next((text for text in candidates if isinstance(text, str) and text), "")


def label_of(field: Mapping[str, Any], language: str) -> str:
    """Return what a field is called in a language; by its name where the form does not say."""
    name = str(field["name"])
    spelt = name.replace("_", " ").strip()
    return said(field, "label", language) or spelt[:1].upper() + spelt[1:] or name


def _view(
    number: int,
    field: Mapping[str, Any],
    answer: Any,
    fault: Mapping[str, Any] | None,
    names: Mapping[str, tuple[int, dict[str, Any]]],
    words: Words,
    files: Mapping[str, str],
) -> FieldView:
    kind = field["type"]
    choices = _choices(number, field, answer, words)
    return FieldView(
        number=number,
        field=field["name"],
        kind=_drawn_as(field, choices),
        name=f"{NAME}.{number}",
        id=f"field-{number}",
        label=label_of(field, words.language),
        hint=said(field, "hint", words.language) or words.first(f"form.hint.{kind}"),
        required=field.get("required", False),
        value=_typed(answer),
        choices=choices,
        attributes=_attributes(field, answer),
        fault="" if fault is None else fault_text(fault, kind, words),
        condition=_condition(field, names),
        file_name=files.get(answer, "") if isinstance(answer, str) else "",
    )


def _drawn_as(field: Mapping[str, Any], choices: tuple[Choice, ...]) -> str:
    kind = field["type"]
    if kind in {"select", "multi_select"} and field.get("options") is None:
        return "textarea" if kind == "multi_select" else "input"
    if kind == "select":
        return "radios" if len(choices) <= RADIOS_MAX else "select"
    drawn = {"boolean": "radios", "multi_select": "checks", "country": "select", "file_reference": "file"}
    return drawn.get(kind, "textarea" if kind == "textarea" else "input")


def _choices(number: int, field: Mapping[str, Any], answer: Any, words: Words) -> tuple[Choice, ...]:
    name, place = f"{NAME}.{number}", f"field-{number}"
    kind, options = field["type"], field.get("options")
    found: list[tuple[str, str, bool]] = []
    if kind == "boolean":
        found = [(YES, words("form.yes"), answer is True), (NO, words("form.no"), answer is False)]
        if not field.get("required", False):
            found.append(("", words("form.no_answer"), answer is None))
    elif kind == "country":
        named = sorted((_folded(words(f"country.{code}")), code) for code in COUNTRIES)
        found = [(code, words(f"country.{code}"), answer == code) for _, code in named]
    elif kind == "select" and options is not None:
        found = [(str(index), option_label(each, words), is_option(each, answer)) for index, each in enumerate(options)]
        if not field.get("required", False) and len(found) <= RADIOS_MAX - 1:
            found.append(("", words("form.no_answer"), answer is None))
    elif kind == "multi_select" and options is not None:
        given = answer if isinstance(answer, list) else []
        return tuple(
            Choice(
                name=f"{name}.{index}",
                value="1",
                label=option_label(option, words),
                id=f"{place}-{index}",
                chosen=any(is_option(option, each) for each in given),
            )
            for index, option in enumerate(options)
        )
    return tuple(
        Choice(name=name, value=value, label=label, id=f"{place}-{index}", chosen=chosen)
        for index, (value, label, chosen) in enumerate(found)
    )


def option_label(option: Any, words: Words) -> str:
    """Return what an option is called in a language; by its value where the form does not say."""
    label = said(option, "label", words.language) if isinstance(option, dict) else ""
    value = option_value(option)
    if not label and isinstance(value, bool):
        return words("form.yes") if value else words("form.no")
    return label or (value if isinstance(value, str) else number_text(value))


def is_option(option: Any, answer: Any) -> bool:
    """Tell whether an answer is this option."""
    return isinstance(answer, str | int | float) and option_key(option_value(option)) == option_key(answer)


def _folded(text: str) -> str:
    """Return what a name is sorted by: people look for Ö where O stands."""
    return "".join([each for each in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(each)])


def number_text(value: float) -> str:
    """Return a number as `read` reads it back, in any language: no group of three digits stands behind its point."""
    text = repr(value)
    return f"{text}0" if _THOUSANDS.fullmatch(text) else text


def _typed(answer: Any) -> str:
    if answer is None or isinstance(answer, dict):
        return ""
    if isinstance(answer, list):
        return "\n".join([each if isinstance(each, str) else str(each) for each in answer])
    if isinstance(answer, bool):
        return YES if answer else NO
    return answer if isinstance(answer, str) else number_text(answer)


def _attributes(field: Mapping[str, Any], answer: Any) -> dict[str, str]:
    kind = field["type"]
    found: dict[str, str] = {}
    if kind in {"text", "textarea"}:
        found["maxlength"] = str(min(_count(field.get("max_length")) or TEXT_CHARS_MAX, TEXT_CHARS_MAX))
        if least := _count(field.get("min_length")):
            found["minlength"] = str(least)
        if kind == "text" and isinstance(pattern := field.get("pattern"), str):
            found["pattern"] = pattern
    if kind == "number":
        found["inputmode"] = "decimal"
    if kind == "date":
        # what is no date would not be shown in an input for dates
        is_shown = answer is None or (isinstance(answer, str) and _ISO_DATE.fullmatch(answer))
        found["type"] = "date" if is_shown else "text"
        for name in ("min", "max"):
            if isinstance(limit := field.get(name), str) and _ISO_DATE.fullmatch(limit):
                found[name] = limit
    if isinstance(purpose := field.get("autocomplete"), str) and _PURPOSE.fullmatch(purpose):
        found["autocomplete"] = purpose
    return found


def _count(value: Any) -> int:
    """Return a number of characters, 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _condition(field: Mapping[str, Any], names: Mapping[str, tuple[int, dict[str, Any]]]) -> Condition | None:
    """Return when a field is shown: `shown_if` {field, is}, where `is` is a value or a list of them.

    A required field is shown whatever stands there, for it is asked in any case. What it hangs on must be another
    field that is chosen from a list.
    """
    wanted = field.get("shown_if")
    if not isinstance(wanted, dict) or field.get("required", False):
        return None
    number, other = names.get(str(wanted.get("field")), (-1, {}))
    if number < 0 or other is field:
        return None
    values = wanted.get("is")
    sent = [_sent(other, value) for value in (values if isinstance(values, list) else [values])]
    found = tuple([value for value in sent if value is not None])
    return Condition(name=f"{NAME}.{number}", values=found) if found else None


def _sent(field: Mapping[str, Any], value: Any) -> str | None:
    """Return what a form sends for a value of a field of choices, None where it has no such value."""
    if field["type"] == "boolean" and isinstance(value, bool):
        return YES if value else NO
    if field["type"] == "country" and value in COUNTRIES:
        return str(value)
    if field["type"] in {"select", "multi_select"}:
        options = field.get("options") or []
        return next((str(index) for index, option in enumerate(options) if is_option(option, value)), None)
    return None


def _answer(number: int, field: Mapping[str, Any], sent: Mapping[str, str]) -> Any:
    name = f"{NAME}.{number}"
    kind, options = field["type"], field.get("options")
    text = sent.get(name, "").replace("\r\n", "\n")
    if kind == "multi_select":
        if options is None:
            return [line.strip() for line in text.split("\n") if line.strip()] or None
        return [option_value(each) for index, each in enumerate(options) if f"{name}.{index}" in sent] or None
    if not text or kind in {"text", "textarea"}:
        return text or None
    if kind == "select":
        return text if options is None else _option(options, text)
    return _READ[kind](text)


def _option(options: list[Any], text: str) -> Scalar:
    if text.isascii() and text.isdigit() and len(text) <= len(str(len(options))) and int(text) < len(options):
        return option_value(options[int(text)])
    return text


def _number(text: str) -> int | float | str:
    plain = text.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if not _NUMBER.fullmatch(plain) or _THOUSANDS.fullmatch(plain) or len(plain) > _NUMBER_CHARS_MAX:
        return text
    is_whole = plain.lstrip("+-").isdigit()
    value = int(plain) if is_whole else float(plain.replace(",", "."))
    return value if is_whole or is_storable_number(value) else text


_READ: dict[str, Callable[[str], Scalar]] = {
    "boolean": lambda text: {YES: True, NO: False}.get(text, text),
    "number": _number,
    "date": str.strip,
    "country": str.strip,
    "file_reference": str.strip,
}
"""How a text becomes an answer, by the type of its field; the other types are read where their options are known."""
