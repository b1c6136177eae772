"""Pages put together: one aiohttp application that the HTTP door serves below its prefix."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import aiohttp_jinja2
import jinja2
from aiohttp import web

from kycmanager.pages.assets import Assets
from kycmanager.pages.guard import ASSET, Guard
from kycmanager.pages.http import FORM_BYTES_MAX

COMMON = "kycmanager.pages"
"""The package whose templates, files and messages all pages have besides their own."""


class Page(Protocol):
    """Some routes that belong together."""

    def routes(self) -> list[web.RouteDef]:
        """Return them."""
        ...


class Pages:
    """The pages below a prefix; `start` returns what serves them.

    Templates are looked for in the last of `packages` first, whose name the log tells; `filters` are what they call.
    """

    def __init__(
        self,
        packages: Sequence[str],
        prefix: str,
        guard: Guard[Any],
        assets: Assets,
        pages: Iterable[Page],
        filters: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.prefix = prefix
        app = web.Application(
            middlewares=[guard.middleware], client_max_size=FORM_BYTES_MAX, logger=logging.getLogger(packages[-1])
        )
        app.router.add_get(f"{prefix}/static/{{path:.+}}", assets.send, name=ASSET)
        for page in pages:
            app.add_routes(page.routes())
        aiohttp_jinja2.setup(
            app,
            loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package) for package in reversed(packages)]),
            autoescape=True,
            auto_reload=False,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            filters=filters,
        )
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> web.Server:
        """Return what serves the pages."""
        await self._runner.setup()
        assert self._runner.server is not None
        return self._runner.server

    async def close(self) -> None:
        """Close; once more does nothing."""
        await self._runner.cleanup()
