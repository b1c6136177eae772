"""What every request to pages passes: who it is from, whether a page of ours sent it, and one answer to every fault."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Generic, TypeVar

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from kycmanager.commands.execute import Faults
from kycmanager.domain.errors import Code, KycError
from kycmanager.pages.http import add_headers, of_http

ASSET = "asset"
"""The name of the route of files, which are the same for everybody."""

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
V = TypeVar("V")
"""Who visits: what the pages know of a request's sender."""


class Guard(ABC, Generic[V]):
    """Stands before every handler of the pages of one kind."""

    source: ClassVar[str]
    """What the log calls these pages."""

    passing: ClassVar[tuple[type[BaseException], ...]] = (ConnectionError, RequestPayloadError)
    """What nobody is left to be answered for."""

    def __init__(self, faults: Faults) -> None:
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
            visit = self.visit(request)
            response = await self._answered(request, handler, visit)
            if not response.prepared:
                add_headers(response)
                self.remember(response, visit)
            return response

        return stand

    async def _answered(self, request: web.Request, handler: Handler, visit: V) -> web.StreamResponse:
        try:
            return await self.let_in(request, handler, visit)
        except KycError as error:
            return self.fault(request, error)
        except web.HTTPException as error:
            return self.fault(request, of_http(error))
        except self.passing:
            raise
        except Exception as error:  # noqa: BLE001 - every fault becomes one answer
            known = {"correlation_id": self._faults(self.source, error)}
            return self.fault(request, KycError(Code.INTERNAL, "Something failed here; the log knows", known))

    @abstractmethod
    def visit(self, request: web.Request) -> V:
        """Find out who makes a request, and keep that in it."""

    @abstractmethod
    def remember(self, response: web.StreamResponse, visit: V) -> None:
        """Give the browser the cookie by which it is known again, where it has none or another."""

    @abstractmethod
    async def let_in(self, request: web.Request, handler: Handler, visit: V) -> web.StreamResponse:
        """Answer a request, or send whoever may not come in away; raises KycError."""

    @abstractmethod
    def fault(self, request: web.Request, error: KycError) -> web.Response:
        """Return a refusal that says what to do next."""
