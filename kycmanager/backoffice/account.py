"""The page about oneself: who one is, one's password and codes, and from where one is signed in."""

import secrets

from aiohttp import web

from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.proof import Proof
from kycmanager.backoffice.recent import Recent
from kycmanager.backoffice.shell import Key, Place, Shell, visit_of
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.totp import SECRET_BYTES, secret_text, uri
from kycmanager.domain.users import User, password_fault
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import form_of, go, number
from kycmanager.user_ports import UserRecords

PLACE = Place("account", f"{PREFIX}/account", "Account")
KEYS = (Key("j k", "next, previous sign-in"),)
OFFERED_MAX = 1000
"""Secrets shown and not proven yet, of all sign-ins; the oldest is forgotten."""


class Account:
    """Changes a user's own password and codes; lists and ends one's own sign-ins."""

    def __init__(self, shell: Shell, gateway: Gateway, users: UserRecords, proof: Proof) -> None:
        self._shell = shell
        self._gateway = gateway
        self._users = users
        self._proof = proof
        self._offered: Recent[int, bytes] = Recent()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [
            web.get(PLACE.path, self.show),
            web.post(f"{PLACE.path}/end", self.end),
            web.post(f"{PLACE.path}/end-others", self.end_others),
            web.post(f"{PLACE.path}/password", self.password),
            web.post(f"{PLACE.path}/codes/offer", self.offer_codes),
            web.post(f"{PLACE.path}/codes/prove", self.prove_codes),
            web.post(f"{PLACE.path}/codes/remove", self.remove_codes),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the sign-ins, and what can be changed."""
        visit = visit_of(request)
        assert visit.login is not None
        found = await self._gateway.run_local(visit.who, "SysGetLogins", {})
        user = self._users.user(visit.login.user_id) if visit.login.user_id else None
        offered = self._offered.get(visit.login.id) if user else None
        values = {
            "logins": found["logins"],
            "is_user": user is not None,
            "codes": bool(user and user.totp),
            "secret": _in_groups(secret_text(offered)) if offered else "",
            "uri": uri(offered, visit.name) if offered else "",
        }
        return self._shell.page(request, "account.html", PLACE.name, values, keys=KEYS)

    async def end(self, request: web.Request) -> web.Response:
        """End one of the sign-ins."""
        login_id = number(form_of(request), "id")
        await self._gateway.run_local(visit_of(request).who, "SysEndLogin", {"id": login_id})
        self._shell.tell(request, "That sign-in has ended.")
        return go(PLACE.path)

    async def end_others(self, request: web.Request) -> web.Response:
        """End every sign-in but this one."""
        visit = visit_of(request)
        assert visit.login is not None
        found = await self._gateway.run_local(visit.who, "SysGetLogins", {})
        for each in found["logins"]:
            if each["id"] != visit.login.id:
                await self._gateway.run_local(visit.who, "SysEndLogin", {"id": each["id"]})
        self._shell.tell(request, "You are signed in from this browser only.")
        return go(PLACE.path)

    async def password(self, request: web.Request) -> web.Response:
        """Change the password; the one before is asked, and every other sign-in ends."""
        form = form_of(request)
        user, login_id = self._user(request)
        if not await self._proven(request, user, form.get("current", "")):
            return go(PLACE.path)
        fresh = form.get("fresh", "")
        fault = password_fault(fresh, user.name)
        if fresh == form.get("current", ""):
            fault = "the one you have"
        if fault or fresh != form.get("again", ""):
            told = f"The new password is {fault}." if fault else "The two new passwords differ."
            self._shell.tell(request, f"{told} Nothing was changed.", kind="fault")
            return go(PLACE.path)
        data = {"id": login_id, "password_hash": await self._proof.hash_of(fresh)}
        await self._gateway.run_local(visit_of(request).who, "SysSetOwnPassword", data)
        self._shell.tell(request, "The password is changed, and every other sign-in of yours has ended.")
        return go(PLACE.path)

    async def offer_codes(self, request: web.Request) -> web.Response:
        """Show a fresh secret for an authenticator app; nothing is asked of it until a code has proven it."""
        user, login_id = self._user(request)
        if user.totp:
            self._shell.tell(request, "You are asked for codes already. Have that ended first.", kind="fault")
        elif await self._proven(request, user, form_of(request).get("current", "")):
            self._offered.keep(login_id, secrets.token_bytes(SECRET_BYTES), OFFERED_MAX)
        return go(PLACE.path)

    async def prove_codes(self, request: web.Request) -> web.Response:
        """Ask for codes from now on, since the app makes the right ones."""
        user, login_id = self._user(request)
        secret = self._offered.get(login_id)
        if secret is None:
            self._shell.tell(request, "The secret is not known any more. Ask for another one.", kind="fault")
        elif counter := self._counter(request, user, secret, after=0):
            data = {"id": login_id, "totp_secret": secret.hex(), "totp_counter": counter}
            await self._gateway.run_local(visit_of(request).who, "SysSetOwnTotp", data)
            self._offered.pop(login_id, None)
            self._shell.tell(request, "You are asked for a code at every sign-in from now on.")
        return go(PLACE.path)

    async def remove_codes(self, request: web.Request) -> web.Response:
        """Ask for no codes any more; a last one is asked."""
        user, login_id = self._user(request)
        if self._counter(request, user, self._users.totp_of(user), after=user.totp_counter):
            data = {"id": login_id, "totp_secret": ""}
            await self._gateway.run_local(visit_of(request).who, "SysSetOwnTotp", data)
            self._shell.tell(request, "You are asked for no codes any more.")
        return go(PLACE.path)

    def _user(self, request: web.Request) -> tuple[User, int]:
        """Return the user who is signed in, and the sign-in; raises FORBIDDEN for the holder of a token."""
        login = visit_of(request).login
        assert login is not None
        user = self._users.user(login.user_id) if login.user_id else None
        if user is None:
            raise KycError(Code.FORBIDDEN, "You are signed in by a token, which has no password and no codes")
        return user, login.id

    async def _proven(self, request: web.Request, user: User, password: str) -> bool:
        """Tell whether this is the user's password; if not, the next page says so. Raises TOO_FREQUENT."""
        address = visit_of(request).address
        self._proof.begin(user.name, address)
        fits = await self._proof.password_fits(user, password)
        self._ended(request, user, "" if fits else "password")
        return fits

    def _counter(self, request: web.Request, user: User, secret: bytes, *, after: int) -> int:
        """Return the half minute of the code that was sent, 0 for a wrong one. Raises TOO_FREQUENT."""
        self._proof.begin(user.name, visit_of(request).address)
        counter = self._proof.counter(secret, form_of(request).get("code", ""), after=after) if secret else 0
        self._ended(request, user, "" if counter else "code")
        return counter

    def _ended(self, request: web.Request, user: User, wrong: str) -> None:
        """Say what was wrong on the next page, or that the try was none."""
        if wrong:
            self._shell.tell(request, f"The {wrong} is wrong. Nothing was changed.", kind="fault")
        else:
            self._proof.succeeded(user.name, visit_of(request).address)


def _in_groups(text: str) -> str:
    """Return a secret as it is easily copied by hand."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
