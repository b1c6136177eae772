"""Which customer a request comes from: a signed cookie of these pages, and the word that a form of ours carries."""

import secrets

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from kycmanager.domain.passes import Pass
from kycmanager.domain.session import Session
from kycmanager.pages.messages import Messages, Words
from kycmanager.pages.visits import VisitSettings, address_of, word_of
from kycmanager.portal.paths import PREFIX
from kycmanager.ports import Clock
from kycmanager.tokens.passes import Passes, new_id

USED_SECONDS = 60
"""How exactly the last use of a visit is written down, in its cookie."""

STRANGER_BYTES = 24
STRANGER_CHARS = 32
FORM = b"portal form"
"""What the words of forms are made for."""

LANGUAGE_COOKIE = "portal-language"
LANGUAGE_SECONDS = 365 * 86_400


class Visit(Struct, frozen=True, kw_only=True):
    """One request's visitor. `csrf` is what forms must bring back; `cookie` is to be set, "" = it stays as it is."""

    csrf: str
    address: str
    words: Words
    given: Pass | None = None
    cookie: str = ""

    @property
    def who(self) -> Session:
        """The session of a customer, which the guard has made sure of."""
        assert self.given is not None
        return self.given.session


VISIT = web.RequestKey("customer_visit", Visit)


class Visits:
    """Reads and writes cookies; knows which visits still live."""

    def __init__(self, passes: Passes, messages: Messages, clock: Clock, settings: VisitSettings) -> None:
        self.passes = passes
        self.messages = messages
        self._clock = clock
        self._settings = settings
        self.cookie_name = "__Secure-portal" if settings.secure else "portal"

    def visit(self, request: web.BaseRequest) -> Visit:
        """Return who makes a request; somebody unknown gets a cookie that only proves the way back."""
        cookie = request.cookies.get(self.cookie_name, "")
        words = self.messages.chosen(
            request.cookies.get(LANGUAGE_COOKIE, ""), accepted=request.headers.get("Accept-Language", "")
        )
        address = address_of(request, self._settings)
        given = self.passes.read(cookie, "visit") if len(cookie) != STRANGER_CHARS else None
        now = self._clock()
        if given is not None and now < given.used + self._settings.idle_seconds:
            due = now >= given.used + USED_SECONDS
            kept = self.passes.sign(replace(given, used=now)) if due else ""
            return Visit(csrf=word_of(given.pass_id, FORM), address=address, words=words, given=given, cookie=kept)
        if len(cookie) == STRANGER_CHARS:
            return Visit(csrf=word_of(cookie, FORM), address=address, words=words)
        cookie = secrets.token_urlsafe(STRANGER_BYTES)
        return Visit(csrf=word_of(cookie, FORM), address=address, words=words, cookie=cookie)

    def begin(self, session: Session, *, of_token: bool) -> Pass:
        """Return the visit of a customer who has come by a link, or by a token: that ends with the token."""
        now = self._clock()
        ends = now + self._settings.life_seconds
        return Pass(
            kind="visit",
            pass_id=new_id(),
            customer_id=session.sub,
            brand=session.own_brand,
            issued=session.issued,
            expires=min(ends, session.expires) if of_token else ends,
            token=session.jti if of_token else "",
            used=now,
        )

    def set_cookie(self, response: web.StreamResponse, cookie: str) -> None:
        """Give the browser a cookie; it goes when the browser ends."""
        secure = self._settings.secure
        response.set_cookie(self.cookie_name, cookie, path=PREFIX, httponly=True, samesite="Lax", secure=secure)

    def forget(self, response: web.StreamResponse) -> None:
        """Take the cookie back."""
        self.set_cookie(response, secrets.token_urlsafe(STRANGER_BYTES))

    def set_language(self, response: web.StreamResponse, language: str) -> None:
        """Remember a language, for a year."""
        response.set_cookie(
            LANGUAGE_COOKIE,
            self.messages.of(language).language,
            path=PREFIX,
            max_age=LANGUAGE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self._settings.secure,
        )


def visit_of(request: web.BaseRequest) -> Visit:
    """Return who makes a request."""
    return request[VISIT]
