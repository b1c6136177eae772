"""The fields whose answers may be searched, and the index behind that."""

import difflib
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from kycmanager.commands import scopes
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    Command,
    Kind,
    ReadContext,
    Reply,
    Request,
    Route,
    WriteContext,
    local_row,
)
from kycmanager.domain.form_schema import NAME_CHARS_MAX, fields
from kycmanager.domain.session import MANAGERS
from kycmanager.ports import ListQuery, Reader

TEMPLATES_AT_ONCE = 1000


class GetSearchFields(Request, frozen=True, kw_only=True):
    """No data."""


class SearchFields(Reply, frozen=True, kw_only=True):
    """The fields by whose answers profiles may be searched; `partial` while their answers are still being indexed."""

    fields: list[str]
    partial: bool | UnsetType = UNSET


class IndexAnswers(Request, frozen=True, kw_only=True):
    """Begin the index of answers anew by a key, go on with the next profiles, or drop it."""

    action: Literal["begin", "next", "drop"]
    key: Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{16})?\Z")] = ""
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1


class CheckFields(Request, frozen=True, kw_only=True):
    """Names that are to be those of fields."""

    fields: Annotated[list[Annotated[str, Meta(max_length=NAME_CHARS_MAX)]], Meta(max_length=100)]


class CheckedFields(Reply, frozen=True, kw_only=True):
    """What no form asks, each with the nearest name that one does ask; nothing while there is no form at all."""

    unknown: dict[str, str]


def get_search_fields(context: ReadContext, _request: GetSearchFields, _target: None) -> SearchFields:
    """Tell by whose answers profiles may be searched."""
    lookup = context.records.desk.lookup
    partial = bool(lookup.fields) and lookup.partial
    return SearchFields(fields=list(lookup.fields), partial=True if partial else UNSET)


def index_answers(context: WriteContext, request: IndexAnswers, _target: None) -> Accepted:
    """Do the next part of making or removing the index; nothing is told of it, for nothing changes."""
    lookup = context.changes.lookup
    if request.action == "begin":
        lookup.begin(bytes.fromhex(request.key))
    elif request.action == "drop":
        lookup.drop()
    else:
        lookup.go_on(request.limit)
    return ACCEPTED


def check_fields(context: ReadContext, request: CheckFields, _target: None) -> CheckedFields:
    """Look the names up in the forms of all templates."""
    known = set(_asked(context.records))
    unknown = [name for name in request.fields if known and name not in known]
    return CheckedFields(unknown={name: "".join(difflib.get_close_matches(name, known, n=1)) for name in unknown})


def _asked(records: Reader) -> Iterator[str]:
    """Yield the name of every field of the forms of all templates."""
    after: str | None = None
    while True:
        page = records.list_templates(ListQuery(brands=None, filters={}, limit=TEMPLATES_AT_ONCE, after=after))
        for template in page.rows:
            for field in fields(template.form_schema):
                yield field.name
        if page.next is None:
            return
        after = page.next


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycSearchFields",
        summary="Tell by the answers to which fields profiles may be searched",
        request=GetSearchFields,
        reply=SearchFields,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_search_fields,
        errors=(),
        route=Route(("GET",), "/manager/kyc/search/fields"),
    ),
    local_row(
        "SysIndexAnswers",
        "Operator: do the next part of the index of answers",
        IndexAnswers,
        Accepted,
        index_answers,
        scopes.anything,
    ),
    local_row(
        "SysCheckFields",
        "Operator: name the fields that no form asks",
        CheckFields,
        CheckedFields,
        check_fields,
        scopes.anything,
        kind=Kind.READ,
    ),
)
