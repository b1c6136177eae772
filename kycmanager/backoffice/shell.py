"""The shell of every page: layout, navigation, and notices that outlive a redirect."""

from collections.abc import Mapping
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from msgspec import Struct

from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.recent import Recent
from kycmanager.backoffice.visits import Visit
from kycmanager.pages.assets import Assets

NOTICES_MAX = 5
"""Notices kept for one sign-in until its next page."""

KEPT_MAX = 10_000
"""Sign-ins with notices kept."""

VISIT = web.RequestKey("visit", Visit)


class Place(Struct, frozen=True):
    """An entry of the navigation."""

    name: str
    path: str
    title: str


class Notice(Struct, frozen=True):
    """What a page says on top: `kind` is info or fault."""

    kind: str
    text: str


class Key(Struct, frozen=True):
    """A key of the keyboard and what it does on a page."""

    key: str
    does: str


EVERYWHERE = (
    Key("/", "search"),
    Key("?", "show or hide this list"),
    Key("Esc", "close what is open, leave a field"),
)
"""What every page answers to."""


class Shell:
    """Renders pages and fragments; `places` are the entries of the navigation, those only that exist."""

    def __init__(self, assets: Assets, places: tuple[Place, ...]) -> None:
        self._assets = assets
        self._places = places
        self._notices: Recent[int, list[Notice]] = Recent()

    def page(
        self,
        request: web.Request,
        template: str,
        place: str,
        values: Mapping[str, Any],
        *,
        keys: tuple[Key, ...] = (),
        status: int = 200,
    ) -> web.Response:
        """Return a whole page; `place` is the entry of the navigation it belongs to."""
        visit = visit_of(request)
        around = {
            "visit": visit,
            "places": self._places if visit.login else (),
            "place": place,
            "asset": self._assets.url,
            "prefix": PREFIX,
            "notices": self._taken(visit),
            "keys": (*keys, *EVERYWHERE),
        }
        return aiohttp_jinja2.render_template(template, request, {**around, **values}, status=status)

    def fragment(
        self, request: web.Request, template: str, values: Mapping[str, Any], *, status: int = 200
    ) -> web.Response:
        """Return a part of a page, which htmx puts into the page that is there."""
        around = {"visit": visit_of(request), "prefix": PREFIX}
        return aiohttp_jinja2.render_template(template, request, {**around, **values}, status=status)

    def tell(self, request: web.Request, text: str, *, kind: str = "info") -> None:
        """Say something on the next page of this sign-in."""
        login = visit_of(request).login
        if login is None:
            return
        held = self._notices.get(login.id, [])
        self._notices.keep(login.id, [*held, Notice(kind, text)][-NOTICES_MAX:], KEPT_MAX)

    def _taken(self, visit: Visit) -> list[Notice]:
        return self._notices.pop(visit.login.id, []) if visit.login else []


def visit_of(request: web.BaseRequest) -> Visit:
    """Return who makes a request."""
    return request[VISIT]
