"""What is the same of every visit to pages: how long it lives, the address it comes from, the word of its forms."""

import hashlib
import hmac

from aiohttp import web
from msgspec import Struct

_ADDRESS_CHARS_MAX = 64


class VisitSettings(Struct, frozen=True, kw_only=True):
    """How long a visit lives unused and at all, whether cookies are for TLS only, whether a proxy stands in front."""

    idle_seconds: int
    life_seconds: int
    secure: bool
    proxy: bool


def address_of(request: web.BaseRequest, settings: VisitSettings) -> str:
    """Return whose tries are counted; behind a proxy, whom the proxy names, who comes last."""
    forwarded: str = request.headers.get("X-Forwarded-For", "")
    if settings.proxy and forwarded:
        return forwarded.rpartition(",")[2].strip()[:_ADDRESS_CHARS_MAX]
    return request.remote or ""


def word_of(cookie: str, purpose: bytes) -> str:
    """Return the word that forms carry: it tells nothing of the cookie, and nobody else's page knows it."""
    return hmac.digest(cookie.encode(errors="replace"), purpose, hashlib.sha256).hex()
