"""Which handler a method and a path mean: exact paths, paths with one parameter, and mounted prefixes."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from aiohttp import web

Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
"""Takes the request and the path's parameter, "" where it has none."""

Mount = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""Takes every request below a prefix."""

_PARAMETER = "{}"


class Route(NamedTuple):
    """One method of one path; the path may hold one parameter, `{id}`, as its last segment or the one before."""

    method: str
    path: str
    handler: Handler


class Resource:
    """The methods of one path."""

    __slots__ = ("allow", "handlers")

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.allow = ""

    def add(self, method: str, handler: Handler) -> None:
        """Add a method; GET answers HEAD too. Raises ValueError where the method is taken."""
        if method in self.handlers:
            raise ValueError(f"{method} is routed twice")
        self.handlers[method] = handler
        if method == "GET":
            self.handlers["HEAD"] = handler
        self.allow = ", ".join(sorted(self.handlers))


class Router:
    """Finds resources by dict look-ups alone: two at most for a path with a parameter."""

    def __init__(self, routes: Iterable[Route], mounts: Mapping[str, Mount]) -> None:
        self._resources: dict[str, Resource] = {}
        self._mounts = tuple(mounts.items())
        for route in routes:
            pattern = _pattern(route.path)
            self._resources.setdefault(pattern, Resource()).add(route.method, route.handler)

    def find(self, path: str) -> tuple[Resource | None, str]:
        """Return the resource of a raw path and its parameter, or (None, "")."""
        found = self._resources.get(path)
        if found is not None:
            return found, ""
        head, _, last = path.rpartition("/")
        found = self._resources.get(f"{head}/{_PARAMETER}")
        if found is not None and last:
            return found, last
        head, _, middle = head.rpartition("/")
        found = self._resources.get(f"{head}/{_PARAMETER}/{last}")
        if found is not None and middle:
            return found, middle
        return None, ""

    def mounted(self, path: str) -> Mount | None:
        """Return what is mounted at a prefix of the path."""
        for prefix, mount in self._mounts:
            if path == prefix or path.startswith(f"{prefix}/"):
                return mount
        return None


def served_by(server: web.Server) -> Mount:
    """Make a mount of an aiohttp server, an `AppRunner(app).server` for one, so that an Application can stand here."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        inner = server.request_factory(
            request._message,  # noqa: SLF001 - an Application needs its own kind of request
            request.content,
            request.protocol,
            request.writer,
            request.task,
        )
        return await server.request_handler(inner)

    return serve


def _pattern(path: str) -> str:
    """Return the key of a path; ValueError where its parameter is not in one of the two places that are looked at."""
    segments = path.split("/")
    places = [index for index, segment in enumerate(segments) if segment.startswith("{")]
    if places and places not in ([len(segments) - 1], [len(segments) - 2]):
        raise ValueError(f"{path}: one parameter at most, as the last segment or the one before")
    return "/".join(_PARAMETER if segment.startswith("{") else segment for segment in segments)
