"""The ways in and out: a customer's token, a one-time link, the language, and the end of a visit."""

from aiohttp import web

from kycmanager.commands.execute import Executor
from kycmanager.domain.errors import Code, KycError
from kycmanager.domain.passes import Pass
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import form_of, go
from kycmanager.portal.guard import OPEN
from kycmanager.portal.paths import HOME, LINKS, PREFIX, SIGN_IN, own_page
from kycmanager.portal.shell import Shell
from kycmanager.portal.visits import Visits, visit_of
from kycmanager.transports.bearer import WrongToken

_GONE = 410


class Entry:
    """Lets customers in and out."""

    def __init__(
        self, shell: Shell, gateway: Gateway, visits: Visits, executor: Executor, wrong_token: WrongToken
    ) -> None:
        self._shell = shell
        self._gateway = gateway
        self._visits = visits
        self._authenticate = executor.authenticate
        self._wrong_token = wrong_token

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(SIGN_IN, self.show, name=OPEN),
            web.post(SIGN_IN, self.sign_in, name=OPEN),
            web.get(f"{LINKS}/{{text}}", self.offer, name=f"{OPEN}-link"),
            web.post(f"{LINKS}/{{text}}", self.use, name=f"{OPEN}-link"),
            web.get(f"{PREFIX}/language/{{language}}", self.choose, name=f"{OPEN}-language"),
            web.post(f"{PREFIX}/sign-out", self.sign_out),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the form for a token; a script takes one from the fragment, which is never sent, and posts it."""
        if visit_of(request).given is not None:
            return go(HOME)
        return self._shell.page(request, "sign_in.html", {"fault": ""})

    async def sign_in(self, request: web.Request) -> web.Response:
        """Begin a visit by a customer's token."""
        visit = visit_of(request)
        token = form_of(request).get("token", "").strip()
        try:
            session = self._authenticate(token)
        except KycError as error:
            told = self._wrong_token(visit.address, token) if error.code is Code.UNAUTHENTICATED else error
            return self._refused(request, told)
        if not session.is_customer:
            return self._refused(request, KycError(Code.UNAUTHENTICATED, "This token is not a customer's"))
        return self._begun(self._visits.begin(session, of_token=True))

    def _refused(self, request: web.Request, error: KycError) -> web.Response:
        key = "sign_in.slow" if error.code is Code.TOO_FREQUENT else "sign_in.wrong"
        values = {"fault": visit_of(request).words(key)}
        return self._shell.page(request, "sign_in.html", values, status=error.code.status)

    async def offer(self, request: web.Request) -> web.Response:
        """Show a button: programs that look into mails follow links, but press no buttons."""
        link = self._visits.passes.read(request.match_info["text"], "link")
        if link is None:
            return self._gone(request)
        return self._shell.page(request, "link.html", {})

    async def use(self, request: web.Request) -> web.Response:
        """Use a link up, and begin a visit."""
        link = self._visits.passes.read(request.match_info["text"], "link")
        if link is None:
            return self._gone(request)
        try:
            await self._end(link, "SysUsePortalLink")
        except KycError as error:
            if error.code is not Code.INVALID_STATE:
                raise
            return self._gone(request)
        return self._begun(self._visits.begin(link.session, of_token=False))

    def _begun(self, visit: Pass) -> web.Response:
        response = go(HOME)
        self._visits.set_cookie(response, self._visits.passes.sign(visit))
        return response

    def _gone(self, request: web.Request) -> web.Response:
        return self._shell.page(request, "link_gone.html", {}, status=_GONE)

    async def choose(self, request: web.Request) -> web.Response:
        """Remember a language and go back to the page it was chosen on."""
        response = go(own_page(request.query.get("back", "")))
        self._visits.set_language(response, request.match_info["language"])
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the visit, for every copy of its cookie."""
        visit = visit_of(request).given
        assert visit is not None
        await self._end(visit, "SysEndPortalVisit")
        response = go(f"{SIGN_IN}?said=left")
        self._visits.forget(response)
        return response

    async def _end(self, given: Pass, command: str) -> None:
        data = {
            "pass_id": given.pass_id,
            "customer_id": given.customer_id,
            "brand": given.brand,
            "expires": given.expires,
        }
        await self._gateway.run_local(given.session, command, data)
