"""HTTP as all pages speak it: the headers of every answer, and forms that only our pages can send."""

import asyncio
import hmac
from collections.abc import Mapping

from aiohttp import web

from kycmanager.domain.errors import Code, KycError, invalid, not_found

FORM_BYTES_MAX = 64 * 1024
FORM_SECONDS = 30
ID_END = 2**53
"""No id is as large as that."""

LARGE = "large"
"""The name of the route of forms that may be larger, from those who are signed in."""

LARGE_BYTES_MAX = 1024 * 1024
LARGE_FIELDS_MAX = 10_000

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

_SERVER_FAULT = 500
_NOT_FOUND, _WRONG_METHOD = 404, 405
_FORM_KIND = "application/x-www-form-urlencoded"
_OWN_SITES = frozenset({"", "same-origin"})


def add_headers(response: web.StreamResponse) -> None:
    """Give an answer the headers of all; it must not be under way yet."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def is_partial(request: web.BaseRequest) -> bool:
    """Tell whether htmx asks for a part of a page."""
    return "HX-Request" in request.headers


def go(path: str) -> web.Response:
    """Send the browser to another page of ours, with GET."""
    return web.Response(status=303, headers={"Location": path})


def is_of_own_site(request: web.BaseRequest) -> bool:
    """Tell whether the browser names no other site as the sender; older ones name none at all."""
    return request.headers.get("Sec-Fetch-Site", "") in _OWN_SITES


def is_word(given: str, word_of_visit: str) -> bool:
    """Tell whether a form brought back the word of the visit; how long that takes tells nothing of the word."""
    return hmac.compare_digest(given.encode(errors="replace"), word_of_visit.encode())


async def read_form(request: web.Request, word_of_visit: str, *, large: bool = False) -> None:
    """Read the fields of a form into the request, and make sure that a page of ours, which knows the word, sent it.

    A `large` one may have LARGE_BYTES_MAX bytes and LARGE_FIELDS_MAX fields.
    Raises KycError: INVALID_DATA for what is no form, FORBIDDEN for one that another site, or an older sign-in, sent.
    """
    if request.content_type != _FORM_KIND:
        raise invalid("form", f"must be sent as {_FORM_KIND}; use the pages")
    try:
        async with asyncio.timeout(FORM_SECONDS):
            fields = await (_roomier(request) if large else request).post()
    except TimeoutError:
        raise invalid("form", "came too slowly; send it again") from None
    except (web.HTTPException, ValueError, LookupError):  # the last for a charset nobody knows
        bytes_max = LARGE_BYTES_MAX if large else FORM_BYTES_MAX
        raise invalid("form", f"is no form of at most {bytes_max} bytes in UTF-8; use the pages") from None
    form = {name: value for name, value in fields.items() if isinstance(value, str)}
    word = request.headers.get(WORD_HEADER) or form.pop(WORD_FIELD, "")
    if not is_of_own_site(request) or not is_word(word, word_of_visit):
        raise KycError(Code.FORBIDDEN, "This form is from an older sign-in or from another site; nothing was changed")
    request[FORM] = form


def _roomier(request: web.Request) -> web.Request:
    return request.clone(client_max_size=LARGE_BYTES_MAX, client_max_fields=LARGE_FIELDS_MAX)


def of_http(error: web.HTTPException) -> KycError:
    """Return a fault of the request as a refusal; raises what is a fault of ours."""
    if error.status == _NOT_FOUND:
        return not_found("page")
    if error.status == _WRONG_METHOD:
        return KycError(Code.INVALID_METHOD, "This page is not asked like that")
    if error.status < _SERVER_FAULT:
        return KycError(Code.INVALID_DATA, f"request: {error.reason.lower()}")
    raise error


def form_of(request: web.BaseRequest) -> dict[str, str]:
    """Return the fields of the form that was sent."""
    return request[FORM]


def number(form: Mapping[str, str], field: str) -> int:
    """Return a number of a form or query; raises KycError INVALID_DATA."""
    found = _number(form.get(field, ""))
    if found is None:
        raise invalid(field, "must be a number")
    return found


def id_of(request: web.Request, name: str, noun: str) -> int:
    """Return an id of the path; what cannot be one is as unknown as one that is not there."""
    found = _number(request.match_info[name])
    if not found or found >= ID_END:
        raise not_found(noun)
    return found


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(ID_END)):
        return None
    return int(text)
