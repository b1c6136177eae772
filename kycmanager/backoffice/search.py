"""The search page: customers by number, by what their documents are, by answers; one box reads what was typed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from kycmanager.backoffice.case_read import path_of
from kycmanager.backoffice.chosen import Chosen, following
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.shell import Key, Place, Shell, visit_of
from kycmanager.domain.errors import Code, KycError, invalid
from kycmanager.pages.gateway import Gateway

PLACE = Place("search", f"{PREFIX}/search", "Search")
KEYS = (Key("j k", "next, previous customer"), Key("Enter", "open the case"), Key("m", "show more customers"))
ROWS = 50

_DIGITS_OF_ID_MAX = 16
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
_FILE_NAME = re.compile(r"[^@]*\.[A-Za-z0-9]{1,10}")

WORDS = {
    "customer_id": "customer",
    "checksum": "file checksum",
    "file_name": "file name",
    "document_type": "document type",
}
ANSWER = "answer"
"""What can be searched for, in the words of the page."""


class Asked(Chosen, frozen=True, kw_only=True):
    """What is searched for, as the address has it: `q` is the one box, the rest are fields of their own."""

    q: str = ""
    customer_id: str = ""
    checksum: str = ""
    file_name: str = ""
    document_type: str = ""
    field: str = ""
    value: str = ""
    brand: str = ""


def recognised(text: str, *, answers: bool = False) -> str:
    """Return the field that a text of the one box means: a number is a customer, 64 hexadecimal digits a checksum.

    What has a dot in it is the name of a file, anything else the type of a document. Where `answers` may be searched, a
    name of a person or an address of mail is one: it must not get into the audit as something else.
    """
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_OF_ID_MAX:
        return "customer_id"
    if _CHECKSUM.fullmatch(text):
        return "checksum"
    if answers and ("@" in text or " " in text) and not _FILE_NAME.fullmatch(text):
        return ANSWER
    return "file_name" if "." in text else "document_type"


def wanted(asked: Asked, searchable: Sequence[str] = ()) -> dict[str, Any]:
    """Return a search as the command takes it, where answers to these fields may be searched. Raises INVALID_DATA."""
    fields = asked.given
    if text := fields.pop("q", ""):
        read = recognised(text, answers=bool(searchable))
        if read != ANSWER:
            fields.setdefault(read, text)
        elif not asked.field:
            fields |= {"field": searchable[0], "value": text}
    data: dict[str, Any] = dict(fields)
    if "checksum" in data:
        data["checksum"] = data["checksum"].lower()
    if number := fields.get("customer_id", ""):
        if recognised(number) != "customer_id" or not int(number):
            raise invalid("customer_id", "must be a number above 0")
        data["customer_id"] = int(number)
    return data


class Search:
    """Finds customers. The command writes every search into the audit, each further page too."""

    def __init__(self, shell: Shell, gateway: Gateway) -> None:
        self._shell = shell
        self._gateway = gateway

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [web.get(PLACE.path, self.show), web.get(f"{PLACE.path}/rows", self.rows)]

    async def show(self, request: web.Request) -> web.Response:
        """Show the form and, where something is asked, the first customers found."""
        asked, fault = Asked.of(request.query), ""
        fields = await self._fields(request)
        page = _nothing(asked)
        if asked.given:
            try:
                page = await self._page(request, asked, fields)
            except KycError as error:
                if error.code is not Code.INVALID_DATA:
                    raise
                fault = error.message
        values = {
            **page,
            "fault": fault,
            "searched": asked.q,
            "others": _other_readings(asked, fields),
            "fields": fields,
        }
        return self._shell.page(request, "search.html", PLACE.name, values, keys=KEYS)

    async def rows(self, request: web.Request) -> web.Response:
        """Return further customers."""
        page = await self._page(
            request, Asked.of(request.query), await self._fields(request), request.query.get("after", "")
        )
        return self._shell.fragment(request, "parts/search_rows.html", page)

    async def _fields(self, request: web.Request) -> list[str]:
        fields: list[str] = (await self._gateway.run(visit_of(request).who, "MngGetKycSearchFields"))["fields"]
        return fields

    async def _page(self, request: web.Request, asked: Asked, fields: Sequence[str], after: str = "") -> dict[str, Any]:
        data = wanted(asked, fields)
        page = {**data, "limit": ROWS, **following(after)}
        found = await self._gateway.run(visit_of(request).who, "MngSearchKyc", page)
        return {
            "asked": asked,
            "meant": _meant(data),
            "partial": found.get("partial", False),
            "rows": [{**row, "path": path_of(row["id"])} for row in found["rows"]],
            "count": found["count"],
            "next": found["next"],
        }


def _nothing(asked: Asked) -> dict[str, Any]:
    return {"asked": asked, "meant": {}, "partial": False, "rows": [], "count": 0, "next": None}


def _meant(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was searched for, by the words for it."""
    meant = {WORDS[name]: value for name, value in data.items() if name in WORDS}
    return meant | ({data["field"]: data["value"]} if "field" in data else {})


def _other_readings(asked: Asked, fields: Sequence[str]) -> list[tuple[str, str]]:
    """Return (words, path) of what else the text of the one box may mean, answers to these fields among it."""
    if not asked.q:
        return []
    read = recognised(asked.q, answers=bool(fields))
    possible = ["file_name", "document_type"] if read != "checksum" else ["file_name"]
    others = [(f"a {WORDS[name]}", {name: asked.q}) for name in possible if name != read]
    answers = fields[1:] if read == ANSWER else fields
    others = [*[(f"it as {name}", {"field": name, "value": asked.q}) for name in answers], *others]
    return [(words, f"{PLACE.path}?{urlencode(query)}") for words, query in others]
