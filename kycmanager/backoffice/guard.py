"""What every request to the pages passes: who it is, whether a page of ours sent it, and one answer to every fault."""

from contextlib import suppress
from urllib.parse import quote

from aiohttp import web

from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.shell import VISIT, Shell
from kycmanager.backoffice.visits import Visit, Visits
from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import Code, KycError
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.guard import WRITING, Handler
from kycmanager.pages.guard import Guard as PagesGuard
from kycmanager.pages.http import LARGE, go, is_partial, read_form

SIGN_IN = f"{PREFIX}/sign-in"
OPEN = "open"
"""The name of the routes that need no sign-in."""

STREAM = "stream"
"""The name of the route of events, which a page asks for by itself."""

PASSIVE = "X-Passive"
"""The header that is 1 on other requests which a page makes by itself: they do not count as use."""

NEXT_STEPS: dict[Code, str] = {
    Code.INVALID_DATA: "Go back, correct it and send it again.",
    Code.FORBIDDEN: "Load the page again and repeat it. If that does not help, your role does not allow it.",
    Code.NOT_FOUND: "It may be gone, or belong to a brand that is not yours. Look for it in the queue.",
    Code.INVALID_STATE: "Load the page again: it shows what holds now.",
    Code.STALE_VERSION: "Somebody was faster. Load the page again: it shows what holds now.",
    Code.TOO_FREQUENT: "Wait a little, then try again.",
    Code.OVERLOADED: "Nothing was changed. Try again in a few seconds.",
    Code.SHUTDOWN: "The daemon restarts. Try again in a moment.",
    Code.OUTCOME_UNKNOWN: "Load the page again: it shows whether your change was made.",
    Code.STORAGE_FULL: "Nothing was changed. Tell whoever runs the daemon that its disk is full.",
}
_ELSE = "Try again. If it happens again, tell whoever runs the daemon."


class Guard(PagesGuard[Visit]):
    """Stands before the pages of reviewers."""

    source = "backoffice"

    def __init__(self, visits: Visits, shell: Shell, gateway: Gateway, faults: Faults) -> None:
        super().__init__(faults)
        self._visits = visits
        self._shell = shell
        self._gateway = gateway

    def visit(self, request: web.Request) -> Visit:
        """Find out who is signed in."""
        visit = request[VISIT] = self._visits.visit(request)
        return visit

    def remember(self, response: web.StreamResponse, visit: Visit) -> None:
        """Give a stranger the cookie whose word the sign-in brings back."""
        if visit.fresh and self._visits.cookie_name not in response.cookies:
            self._visits.set_cookie(response, visit.cookie)

    async def let_in(self, request: web.Request, handler: Handler, visit: Visit) -> web.StreamResponse:
        """Let in who is signed in; note that the sign-in is used."""
        is_open = request.match_info.route.name == OPEN
        if visit.login is None and not is_open:
            return to_sign_in(request)
        if request.method in WRITING:
            await read_form(request, visit.csrf, large=request.match_info.route.name == LARGE)
        passive = request.match_info.route.name == STREAM or request.headers.get(PASSIVE) == "1"
        if visit.login is not None and not passive and self._visits.is_due(visit.login):
            with suppress(KycError):  # what cannot be written now is written with the next request
                await self._gateway.run_local(visit.who, "SysUseLogin", {"id": visit.login.id})
        return await handler(request)

    def fault(self, request: web.Request, error: KycError) -> web.Response:
        """Return a refusal as a page, or as a notice on the page that is there, that says what to do next."""
        values = {
            "message": error.message,
            "next_step": NEXT_STEPS.get(error.code, _ELSE),
            "correlation": (error.data or {}).get("correlation_id", ""),
            "status": error.code.status,
        }
        if is_partial(request):
            response = self._shell.fragment(request, "parts/fault.html", values, status=error.code.status)
            response.headers["HX-Retarget"] = "#notices"
            response.headers["HX-Reswap"] = "innerHTML"
            return response
        return self._shell.page(request, "fault.html", "", values, status=error.code.status)


def to_sign_in(request: web.Request) -> web.Response:
    """Send somebody to the sign-in, and back here afterwards where that was a page."""
    if request.match_info.route.name == STREAM:
        return web.Response(status=204)  # the one answer after which a browser does not connect again
    is_page = request.method == "GET" and not is_partial(request) and request.path != SIGN_IN
    where = f"{SIGN_IN}?next={quote(str(request.rel_url), safe='/')}" if is_page else SIGN_IN
    if is_partial(request):
        return web.Response(status=401, headers={"HX-Redirect": SIGN_IN})
    return go(where)
