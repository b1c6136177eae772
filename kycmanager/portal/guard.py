"""What every request to the pages of customers passes: who it is, and whether a page of ours sent it."""

from aiohttp import web

from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import KycError
from kycmanager.pages.guard import WRITING, Handler
from kycmanager.pages.guard import Guard as PagesGuard
from kycmanager.pages.http import LARGE, go, read_form
from kycmanager.portal import telling
from kycmanager.portal.paths import SIGN_IN
from kycmanager.portal.shell import Shell, is_part
from kycmanager.portal.visits import VISIT, Visit, Visits
from kycmanager.transports.rest.body import TooSlowError

OPEN = "open"
"""What the names of routes that need no visit begin with."""

UPLOAD = "upload"
"""What the names of routes that read their forms themselves, as these come, begin with."""


class Guard(PagesGuard[Visit]):
    """Stands before the pages of customers."""

    source = "portal"
    passing = (*PagesGuard.passing, TooSlowError)

    def __init__(self, visits: Visits, shell: Shell, faults: Faults) -> None:
        super().__init__(faults)
        self._visits = visits
        self._shell = shell

    def visit(self, request: web.Request) -> Visit:
        """Find out which customer it is."""
        visit = request[VISIT] = self._visits.visit(request)
        return visit

    def remember(self, response: web.StreamResponse, visit: Visit) -> None:
        """Give the browser the cookie of a visit that was used, or a stranger's."""
        if visit.cookie and self._visits.cookie_name not in response.cookies:
            self._visits.set_cookie(response, visit.cookie)

    async def let_in(self, request: web.Request, handler: Handler, visit: Visit) -> web.StreamResponse:
        """Let in whose visit lives."""
        name = (request.match_info.route.name or "").partition("-")[0]
        if visit.given is None and name != OPEN:
            return go(f"{SIGN_IN}?said=gone" if request.method in WRITING else SIGN_IN)
        if request.method in WRITING and name != UPLOAD:
            await read_form(request, visit.csrf, large=name == LARGE)
        return await handler(request)

    def fault(self, request: web.Request, error: KycError) -> web.Response:
        """Return a refusal that says what to do next: as a page, or as JSON to a script."""
        told, following = telling.refusal(error, request[VISIT].words)
        correlation = (error.data or {}).get("correlation_id", "")
        if is_part(request):
            return web.json_response({"message": f"{told} {following}"}, status=error.code.status)
        values = {"told": told, "following": following, "correlation": correlation, "status": error.code.status}
        return self._shell.page(request, "fault.html", values, status=error.code.status)
