"""The shell of every page: layout, headers, notices that outlive a redirect, and forms that only our pages can send."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from msgspec import Struct

from kycmanager.backoffice import texts
from kycmanager.backoffice.assets import PREFIX, Assets
from kycmanager.backoffice.visits import Visit
from kycmanager.domain.errors import Code, KycError, invalid

FORM_BYTES_MAX = 64 * 1024
FORM_SECONDS = 30
NOTICES_MAX = 5
"""Notices kept for one sign-in until its next page."""

KEPT_MAX = 10_000
"""Sign-ins with notices kept."""

VISIT = web.RequestKey("visit", Visit)
FORM: web.RequestKey[dict[str, str]] = web.RequestKey("form", dict)
WORD_FIELD, WORD_HEADER = "word", "X-Form-Word"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "kycmanager",
}

_FORM_KIND = "application/x-www-form-urlencoded"
_OWN_SITES = frozenset({"", "same-origin"})


class Place(Struct, frozen=True):
    """An entry of the navigation."""

    name: str
    path: str
    title: str


class Notice(Struct, frozen=True):
    """What a page says on top: `kind` is info or fault."""

    kind: str
    text: str


class Key(Struct, frozen=True):
    """A key of the keyboard and what it does on a page."""

    key: str
    does: str


EVERYWHERE = (
    Key("?", "show or hide this list"),
    Key("Esc", "close what is open, leave a field"),
)
"""What every page answers to."""


class Shell:
    """Renders pages and fragments; `places` are the entries of the navigation, those only that exist."""

    def __init__(self, assets: Assets, places: tuple[Place, ...]) -> None:
        self._assets = assets
        self._places = places
        self._notices: OrderedDict[int, list[Notice]] = OrderedDict()

    def set_up(self, app: web.Application) -> None:
        """Give the application its templates."""
        aiohttp_jinja2.setup(
            app,
            loader=jinja2.PackageLoader("kycmanager.backoffice"),
            autoescape=True,
            auto_reload=False,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            filters=texts.FILTERS,
        )

    def page(
        self,
        request: web.Request,
        template: str,
        place: str,
        values: Mapping[str, Any],
        *,
        keys: tuple[Key, ...] = (),
        status: int = 200,
    ) -> web.Response:
        """Return a whole page; `place` is the entry of the navigation it belongs to."""
        visit = visit_of(request)
        around = {
            "visit": visit,
            "places": self._places if visit.login else (),
            "place": place,
            "asset": self._assets.url,
            "prefix": PREFIX,
            "notices": self._taken(visit),
            "keys": (*keys, *EVERYWHERE),
        }
        return aiohttp_jinja2.render_template(template, request, {**around, **values}, status=status)

    def fragment(
        self, request: web.Request, template: str, values: Mapping[str, Any], *, status: int = 200
    ) -> web.Response:
        """Return a part of a page, which htmx puts into the page that is there."""
        around = {"visit": visit_of(request), "prefix": PREFIX}
        return aiohttp_jinja2.render_template(template, request, {**around, **values}, status=status)

    def tell(self, request: web.Request, text: str, *, kind: str = "info") -> None:
        """Say something on the next page of this sign-in."""
        login = visit_of(request).login
        if login is None:
            return
        held = self._notices.pop(login.id, [])
        self._notices[login.id] = [*held, Notice(kind, text)][-NOTICES_MAX:]
        if len(self._notices) > KEPT_MAX:
            self._notices.popitem(last=False)

    def _taken(self, visit: Visit) -> list[Notice]:
        return self._notices.pop(visit.login.id, []) if visit.login else []


def add_headers(response: web.StreamResponse) -> None:
    """Give an answer the headers of all; it must not be under way yet."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def visit_of(request: web.BaseRequest) -> Visit:
    """Return who makes a request."""
    return request[VISIT]


def is_partial(request: web.BaseRequest) -> bool:
    """Tell whether htmx asks for a part of a page."""
    return "HX-Request" in request.headers


def go(path: str) -> web.Response:
    """Send the browser to another page of ours, with GET."""
    return web.Response(status=303, headers={"Location": path})


async def read_form(request: web.Request, visit: Visit) -> None:
    """Read the fields of a form into the request, and make sure that a page of ours sent it.

    Raises KycError: INVALID_DATA for what is no form, FORBIDDEN for one that another site, or an older sign-in, sent.
    """
    if request.content_type != _FORM_KIND:
        raise invalid("form", f"must be sent as {_FORM_KIND}; use the pages")
    try:
        async with asyncio.timeout(FORM_SECONDS):
            fields = await request.post()
    except TimeoutError:
        raise invalid("form", "came too slowly; send it again") from None
    except (web.HTTPException, ValueError, LookupError):  # the last for a charset nobody knows
        raise invalid("form", f"is no form of at most {FORM_BYTES_MAX} bytes in UTF-8; use the pages") from None
    form = {name: value for name, value in fields.items() if isinstance(value, str)}
    word = request.headers.get(WORD_HEADER) or form.pop(WORD_FIELD, "")
    from_us = request.headers.get("Sec-Fetch-Site", "") in _OWN_SITES
    if not from_us or not hmac.compare_digest(word.encode(errors="replace"), visit.csrf.encode()):
        raise KycError(Code.FORBIDDEN, "This form is from an older sign-in or from another site; nothing was changed")
    request[FORM] = form


def form_of(request: web.BaseRequest) -> dict[str, str]:
    """Return the fields of the form that was sent."""
    return request[FORM]


def number(form: Mapping[str, str], field: str) -> int:
    """Return a number of a form; raises KycError INVALID_DATA."""
    text = form.get(field, "")
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(2**53)):
        raise invalid(field, "must be a number")
    return int(text)
