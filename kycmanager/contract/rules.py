"""The chapters of the reference on rules: forms, answers, the moves of steps and documents."""

from collections.abc import Iterable
from enum import IntEnum

from kycmanager.contract.markdown import table
from kycmanager.domain import document, step
from kycmanager.domain.answers import TEXT_CHARS_MAX
from kycmanager.domain.enums import StepType
from kycmanager.domain.form_schema import (
    CHOICE_TYPES,
    FAULTS_MAX,
    FIELD_TYPES,
    FIELDS_MAX,
    NAME_CHARS_MAX,
    OPTION_CHARS_MAX,
    OPTIONS_MAX,
    SECTIONS_MAX,
)

_OPTION = f"a text of at most {OPTION_CHARS_MAX:,} characters, a number or a boolean"

ANSWERED: dict[str, tuple[str, str]] = {
    "text": (f"A text of at most {TEXT_CHARS_MAX:,} characters, without NUL", "type, too_long, format"),
    "textarea": ("The same, over several lines", "type, too_long, format"),
    "date": ("An ISO 8601 date, `2000-12-31`", "type, format"),
    "country": ("An ISO 3166-1 alpha-2 code in capitals, `DE`", "type, format"),
    "file_reference": (
        "The `file_id` of a file the same customer has uploaded under the same brand; it is kept from then on",
        "type, format, file",
    ),
    "number": ("A finite number, whole ones of at most 64 bits; no boolean, no text", "type, range"),
    "boolean": ("`true` or `false`", "type"),
    "select": (f"One of the options; without `options` {_OPTION}", "type, option, too_long, range, format"),
    "multi_select": (
        f"A list of at most {OPTIONS_MAX:,} options, none twice; without `options` any such values",
        "type, option, repeated, too_long, range, format",
    ),
}
"""By field type: what an answer must be, and the codes of its faults."""

_EXAMPLE = """```json
{"sections": [{"title": "Income", "fields": [
  {"name": "source", "type": "select", "label": "Source of income", "required": true,
   "options": [{"value": "salary", "label": "Salary"}, {"value": "pension", "label": "Pension"}, "other"]},
  {"name": "since", "type": "date", "label": "Since"}
]}]}
```
"""

_FORMS = f"""## Forms

`form_schema` of a template is a JSON object, `{{}}` asks nothing. It is checked when a template is added or changed; a
step keeps the form of the version it was made from.

{_EXAMPLE}
"""

_FORM_KEYS = (
    ("form_schema", "sections", "array of objects", "", f"at most {SECTIONS_MAX:,}"),
    ("section", "fields", "array of objects", "", f"at most {FIELDS_MAX:,} over all sections"),
    ("field", "name", "text", "yes", f"1..{NAME_CHARS_MAX} characters, unique in the whole form"),
    ("field", "type", "text", "yes", ", ".join(FIELD_TYPES)),
    ("field", "required", "boolean", "", "`false` when it is not there"),
    (
        "field",
        "options",
        "array",
        "",
        f"looked at for {' and '.join(CHOICE_TYPES)} only; at most {OPTIONS_MAX:,}, each {{value, label}} or the value",
    ),
    ("option", "value", "text, number, boolean", "yes", _OPTION),
    ("option", "label", "text", "", ""),
)

_FORM_RULES = f"""Every other key, at any place, is kept as it came and given back, and nothing is enforced by it:
`title`, `label`, `hint`, `max_length`, `pattern` are for whoever draws the form. A choice without `options` takes any
text, number or boolean; one with an empty list takes nothing.

A wrong form is 400 `INVALID_DATA`. `data.errors` holds every fault, at most {FAULTS_MAX:,}, as `{{field, code,
message}}`: `field` is the path, such as `sections[0].fields[2].name`, `code` one of type, required, option, repeated,
too_long, range, too_many.
"""

_ANSWERS = f"""## Answers

`answers` is a JSON object: the name of a field to its value. At most {FIELDS_MAX:,} fields.

"""

_ANSWER_RULES = """`CustomerSaveKycAnswers` checks the given fields only; `CustomerSubmitKycStep` checks what was saved
together with what is given, and that every required field is answered: null, a text of blanks and an empty list answer
nothing. What is given replaces what was saved; null takes an answer back. A name that is no field of the form is
refused.

A fault is 400 `INVALID_DATA` and changes nothing. `data.errors` holds every faulty field as `{field, code, message}`:

"""

FAULT_CODES: tuple[tuple[str, str], ...] = (
    ("required", "is not answered; for the field `documents`: a step of type document or mixed has no document"),
    ("type", "is of another type"),
    ("format", "is no date, no country code, no uuid, or holds NUL"),
    ("option", "is not one of the options"),
    ("repeated", "names an option twice"),
    ("range", "is no finite number of at most 64 bits"),
    ("too_long", "has too many characters or items"),
    ("file", "is no stored file of this customer: it does not exist, or it is another's"),
    ("unknown", "is no field of this step"),
    ("too_many", "more answers than a form can have fields"),
)

_MOVES = """## Moves

Every move a step may make; all others are 409 `INVALID_STATE` and change nothing. Steps in required, pending, approved
or rejected are active; expired and skipped ones are history. An expired step that was required gets a successor in
required at once.

"""

_DOCUMENT_MOVES = """The same for documents. Submitting a step moves its documents from uploaded to pending; deciding a
document does not decide its step. Rejecting an approved document takes a `reason`.

"""


def forms() -> str:
    """Return the chapter on form_schema."""
    keys = table(["Of", "Key", "Type", "Needed", "Rule"], [list(row) for row in _FORM_KEYS])
    return _FORMS + keys + "\n" + _FORM_RULES


def answers() -> str:
    """Return the chapter on the answers to a form."""
    types = table(["Field type", "Answer", "Fault codes"], [[kind, *ANSWERED[kind]] for kind in FIELD_TYPES])
    return _ANSWERS + types + "\n" + _ANSWER_RULES + table(["Code", "The value"], [list(row) for row in FAULT_CODES])


def moves() -> str:
    """Return the chapter on the moves of steps and documents."""
    steps = [
        [_name(old), _name(new), "any" if kinds == frozenset(StepType) else f"{_names(kinds)} only"]
        for old, targets in step.TRANSITIONS.items()
        for new, kinds in sorted(targets.items())
    ]
    documents = [[_name(old), _names(targets) or "(final)"] for old, targets in document.TRANSITIONS.items()]
    return (
        _MOVES
        + table(["Step from", "to", "Step type"], steps)
        + "\n"
        + _DOCUMENT_MOVES
        + table(["Document from", "to"], documents)
    )


def _name(member: IntEnum) -> str:
    return f"{member.value} {member.name.lower()}"


def _names(members: Iterable[IntEnum]) -> str:
    return ", ".join(_name(member) for member in sorted(members))
