"""Who a request comes from: the cookie, the sign-in behind it, and the word that a form of ours carries."""

import hashlib
import secrets
from typing import Protocol

from aiohttp import web
from msgspec import Struct

from kycmanager.backoffice.people import People
from kycmanager.domain.session import Session
from kycmanager.domain.users import USED_SECONDS, Login, session_of
from kycmanager.pages.visits import VisitSettings, address_of, word_of
from kycmanager.ports import Clock
from kycmanager.user_ports import UserRecords

COOKIE_BYTES = 32
COOKIE_CHARS_MAX = 64
FORM = b"form"
"""What the words of forms are made for."""


class Revoked(Protocol):
    """The revocations in force."""

    def covers(self, *, jti: str, session: int, sub: int, issued: int) -> bool:
        """Tell whether such a token is revoked."""
        ...


class Visit(Struct, frozen=True, kw_only=True):
    """One request's visitor. `csrf` is what forms must bring back; `fresh` says that the cookie must be set."""

    cookie: str
    csrf: str
    address: str
    login: Login | None = None
    session: Session | None = None
    name: str = ""
    fresh: bool = False

    def __repr__(self) -> str:
        return f"Visit({self.name!r})"

    @property
    def who(self) -> Session:
        """The session of somebody who is signed in, which the guard has made sure of."""
        assert self.session is not None
        return self.session

    @property
    def brands(self) -> list[str]:
        """The brands to choose from, none where every brand is open."""
        return sorted(self.who.brands or ())


class Visits:
    """Reads and writes cookies; knows which sign-ins still live."""

    def __init__(
        self, users: UserRecords, people: People, revocations: Revoked, clock: Clock, settings: VisitSettings
    ) -> None:
        self._users = users
        self._people = people
        self._revocations = revocations
        self._clock = clock
        self.settings = settings
        self.cookie_name = "__Host-backoffice" if settings.secure else "backoffice"

    def now(self) -> int:
        """Return Unix seconds."""
        return self._clock()

    def visit(self, request: web.BaseRequest) -> Visit:
        """Return who makes a request; somebody unknown gets a fresh cookie."""
        cookie = request.cookies.get(self.cookie_name, "")
        address = address_of(request, self.settings)
        if not cookie or len(cookie) > COOKIE_CHARS_MAX:
            cookie = new_cookie()
            return Visit(cookie=cookie, csrf=word_of(cookie, FORM), address=address, fresh=True)
        login = self._users.login_with(key_of(cookie))
        session = None if login is None else self.session(login)
        if login is None or session is None:
            return Visit(cookie=cookie, csrf=word_of(cookie, FORM), address=address)
        return Visit(
            cookie=cookie,
            csrf=word_of(cookie, FORM),
            address=address,
            login=login,
            session=session,
            name=self._people.name(session.type, session.sub),
        )

    def session(self, login: Login) -> Session | None:
        """Return the session of a sign-in; None when it has run out, or its user or token is not good any more."""
        now = self._clock()
        if now >= login.expires or now >= login.used_time + self.settings.idle_seconds:
            return None
        session = session_of(login, self._users.user(login.user_id))
        if session is None or self._revocations.covers(
            jti=session.jti, session=session.type, sub=session.sub, issued=session.issued
        ):
            return None
        return session

    def lives(self, login_id: int) -> bool:
        """Tell whether a sign-in is still good."""
        login = self._users.login(login_id)
        return login is not None and self.session(login) is not None

    def is_due(self, login: Login) -> bool:
        """Tell whether the use of a sign-in is to be written down."""
        return self._clock() >= login.used_time + USED_SECONDS

    def expires(self) -> int:
        """Return when a sign-in made now ends at the latest."""
        return self._clock() + self.settings.life_seconds

    def set_cookie(self, response: web.StreamResponse, cookie: str) -> None:
        """Give the browser a cookie; it goes when the browser ends, or is refused when its sign-in has ended."""
        response.set_cookie(
            self.cookie_name, cookie, path="/", httponly=True, samesite="Strict", secure=self.settings.secure
        )


def new_cookie() -> str:
    """Make the text of a cookie, which nobody can guess."""
    return secrets.token_urlsafe(COOKIE_BYTES)


def key_of(cookie: str) -> bytes:
    """Return what is kept of a cookie: whoever reads the base cannot sign in by it."""
    return hashlib.sha256(cookie.encode()).digest()
