"""The page to sign in on: by name, password and code, or by a manager's token; and the way out."""

from typing import Any

from aiohttp import web

from kycmanager import log
from kycmanager.backoffice.guard import OPEN, SIGN_IN
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.proof import Proof
from kycmanager.backoffice.shell import Shell, visit_of
from kycmanager.backoffice.visits import Visit, Visits, key_of, new_cookie
from kycmanager.commands.execute import Executor
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.session import MANAGERS
from kycmanager.domain.users import User, spelled
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import form_of, go
from kycmanager.transports.bearer import WrongToken
from kycmanager.user_ports import UserRecords

HOME = f"{PREFIX}/queue"
REFUSED = "The name, the password or the code is wrong."

_AGENT_CHARS_MAX = 200
_NAME_CHARS_MAX = 64

logger = log.get_logger("backoffice")


class SignIn:
    """Signs people in and out."""

    def __init__(
        self,
        shell: Shell,
        gateway: Gateway,
        visits: Visits,
        users: UserRecords,
        executor: Executor,
        wrong_token: WrongToken,
        proof: Proof,
    ) -> None:
        self._shell = shell
        self._gateway = gateway
        self._visits = visits
        self._users = users
        self._authenticate = executor.authenticate
        self._wrong_token = wrong_token
        self._proof = proof

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [
            web.get(SIGN_IN, self.show, name=OPEN),
            web.post(SIGN_IN, self.sign_in, name=OPEN),
            web.post(f"{PREFIX}/sign-out", self.sign_out),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the form, or go on where somebody is signed in already."""
        wanted = _own_page(request.query.get("next", ""))
        if visit_of(request).login is not None:
            return go(wanted)
        return self._form(request, wanted)

    def _form(self, request: web.Request, wanted: str, *, fault: str = "", status: int = 200) -> web.Response:
        form = form_of(request) if request.method == "POST" else {}
        values = {"wanted": wanted, "fault": fault, "name": form.get("name", ""), "by_token": bool(form.get("token"))}
        return self._shell.page(request, "sign_in.html", "", values, status=status)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Sign in, under a cookie that nobody has seen before."""
        form, visit = form_of(request), visit_of(request)
        wanted = _own_page(form.get("next", ""))
        cookie = new_cookie()
        data = {
            "cookie_hash": key_of(cookie).hex(),
            "address": visit.address,
            "agent": request.headers.get("User-Agent", "")[:_AGENT_CHARS_MAX],
        }
        try:
            if form.get("token"):
                await self._by_token(visit, form["token"].strip(), data)
            else:
                await self._by_password(visit, form, data)
        except KycError as error:
            if error.code not in {Code.UNAUTHENTICATED, Code.TOO_FREQUENT, Code.FORBIDDEN}:
                raise
            return self._form(request, wanted, fault=error.message, status=error.code.status)
        if visit.login is not None:
            await self._end(visit)
        response = go(wanted)
        self._visits.set_cookie(response, cookie)
        return response

    async def _by_token(self, visit: Visit, token: str, data: dict[str, Any]) -> None:
        try:
            session = self._authenticate(token)
        except KycError as error:
            raise self._wrong_token(visit.address, token) from error
        if session.type not in MANAGERS:
            raise KycError(Code.FORBIDDEN, "This token is not a manager's; sign in with another")
        of_token = {
            "session": int(session.type),
            "sub": session.sub,
            "brands": None if session.brands is None else sorted(session.brands),
            "jti": session.jti,
            "issued": session.issued,
            "expires": min(session.expires, self._visits.expires()),
        }
        await self._gateway.run_local(None, "SysSignInToken", data | of_token)

    async def _by_password(self, visit: Visit, form: dict[str, str], data: dict[str, Any]) -> None:
        name = spelled(form.get("name", ""))[:_NAME_CHARS_MAX]
        self._proof.begin(name, visit.address)
        user = self._users.user_named(name)
        counter = await self._counter(user, form)
        if counter is None or user is None:
            logger.warning("sign-in refused", address=visit.address, user=user.id if user else 0)
            raise KycError(Code.UNAUTHENTICATED, REFUSED)
        of_user = {"user_id": user.id, "totp_counter": counter, "expires": self._visits.expires()}
        await self._gateway.run_local(None, "SysSignInUser", data | of_user)
        self._proof.succeeded(name, visit.address)

    async def _counter(self, user: User | None, form: dict[str, str]) -> int | None:
        """Return the half minute of the code, 0 where none is asked; None where something is wrong.

        Nobody's password takes as long to check as somebody's.
        """
        fits = await self._proof.password_fits(user, form.get("password", ""))
        if user is None or not fits:
            return None
        if not user.totp:
            return 0
        return self._proof.counter(self._users.totp_of(user), form.get("code", ""), after=user.totp_counter) or None

    async def sign_out(self, request: web.Request) -> web.Response:
        """End this sign-in."""
        await self._end(visit_of(request))
        response = go(SIGN_IN)
        self._visits.set_cookie(response, new_cookie())
        return response

    async def _end(self, visit: Visit) -> None:
        assert visit.login is not None
        await self._gateway.run_local(visit.who, "SysEndLogin", {"id": visit.login.id})


def _own_page(path: str) -> str:
    """Return where to go after the sign-in: a page of ours, whatever a link says."""
    is_ours = path.startswith(f"{PREFIX}/") and not path.startswith(SIGN_IN) and path.isascii()
    return path if is_ours and ".." not in path and "\\" not in path and path.isprintable() else HOME
