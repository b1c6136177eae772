"""What every request to the pages of customers passes: who it is, and whether a page of ours sent it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import Code, KycError
from kycmanager.pages.http import LARGE, add_headers, go, of_http, read_form
from kycmanager.portal import telling
from kycmanager.portal.paths import SIGN_IN
from kycmanager.portal.shell import Shell, is_part
from kycmanager.portal.visits import VISIT, Visit, Visits
from kycmanager.transports.rest.body import TooSlowError

OPEN = "open"
"""What the names of routes that need no visit begin with."""

ASSET = "asset"
"""The name of the route of files, which are the same for everybody."""

UPLOAD = "upload"
"""What the names of routes that read their forms themselves, as these come, begin with."""

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Stands before every handler."""

    def __init__(self, visits: Visits, shell: Shell, faults: Faults) -> None:
        self._visits = visits
        self._shell = shell
        self._faults = faults

    @property
    def middleware(self) -> Any:
        """The guard as aiohttp takes it."""

        @web.middleware
        async def stand(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.match_info.route.name == ASSET:
                response = await handler(request)
                add_headers(response)
                return response
            visit = request[VISIT] = self._visits.visit(request)
            response = await self._answered(request, handler, visit)
            add_headers(response)
            if visit.cookie and self._visits.cookie_name not in response.cookies:
                self._visits.set_cookie(response, visit.cookie)
            return response

        return stand

    async def _answered(self, request: web.Request, handler: Handler, visit: Visit) -> web.StreamResponse:
        try:
            return await self._let_in(request, handler, visit)
        except KycError as error:
            return self.fault(request, error)
        except web.HTTPException as error:
            return self.fault(request, of_http(error))
        except (ConnectionError, RequestPayloadError, TooSlowError):
            raise
        except Exception as error:  # noqa: BLE001 - every fault becomes one answer
            known = {"correlation_id": self._faults("portal", error)}
            return self.fault(request, KycError(Code.INTERNAL, "Something failed here; the log knows", known))

    async def _let_in(self, request: web.Request, handler: Handler, visit: Visit) -> web.StreamResponse:
        name = (request.match_info.route.name or "").partition("-")[0]
        if visit.given is None and name != OPEN:
            return go(f"{SIGN_IN}?said=gone" if request.method in _WRITING else SIGN_IN)
        if request.method in _WRITING and name != UPLOAD:
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
