"""What every request to the pages passes: who it is, whether a page of ours sent it, and one answer to every fault."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.shell import VISIT, Shell
from kycmanager.backoffice.visits import Visit, Visits
from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import Code, KycError
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import LARGE, add_headers, go, is_partial, of_http, read_form

SIGN_IN = f"{PREFIX}/sign-in"
OPEN = "open"
"""The name of the routes that need no sign-in."""

ASSET = "asset"
"""The name of the route of files, which are the same for everybody."""

STREAM = "stream"
"""The name of the route of events, which a page asks for by itself."""

PASSIVE = "X-Passive"
"""The header that is 1 on other requests which a page makes by itself: they do not count as use."""

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

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

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Stands before every handler."""

    def __init__(self, visits: Visits, shell: Shell, gateway: Gateway, faults: Faults) -> None:
        self._visits = visits
        self._shell = shell
        self._gateway = gateway
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
            if not response.prepared:
                add_headers(response)
                if visit.fresh and self._visits.cookie_name not in response.cookies:
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
        except (ConnectionError, RequestPayloadError):
            raise
        except Exception as error:  # noqa: BLE001 - every fault becomes one answer
            correlation = self._faults("backoffice", error)
            known = {"correlation_id": correlation}
            return self.fault(request, KycError(Code.INTERNAL, "Something failed here; the log knows", known))

    async def _let_in(self, request: web.Request, handler: Handler, visit: Visit) -> web.StreamResponse:
        is_open = request.match_info.route.name == OPEN
        if visit.login is None and not is_open:
            return to_sign_in(request)
        if request.method in _WRITING:
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
