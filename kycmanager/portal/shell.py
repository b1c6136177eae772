"""The shell of every page of customers: layout, language, and what is said after a redirect."""

from collections.abc import Mapping
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from kycmanager.pages.assets import Assets
from kycmanager.portal import telling
from kycmanager.portal.paths import PREFIX, own_page
from kycmanager.portal.visits import visit_of

SAID = ("saved", "submitted", "removed", "added", "left", "gone")
"""What a page may be asked to say, by the name in its query; anything else is not said."""

PART = "X-Part"
"""The header of requests that a script makes for a part of a page."""


class Shell:
    """Renders pages in the language of who asks."""

    def __init__(self, assets: Assets, languages: Mapping[str, str]) -> None:
        self._assets = assets
        self._languages = languages

    def page(
        self, request: web.Request, template: str, values: Mapping[str, Any], *, status: int = 200
    ) -> web.Response:
        """Return a page, or a part of one."""
        visit = visit_of(request)
        words = visit.words
        said = request.query.get("said", "")
        around = {
            "visit": visit,
            "t": words,
            "languages": self._languages,
            "asset": self._assets.url,
            "prefix": PREFIX,
            "here": own_page(request.path),
            "said": words(f"said.{said}") if said in SAID else "",
            "date": lambda time: telling.date(time, words),
            "size": lambda count: telling.size(count, words),
        }
        return aiohttp_jinja2.render_template(template, request, {**around, **values}, status=status)


def is_part(request: web.BaseRequest) -> bool:
    """Tell whether a script asks for a part of a page."""
    return PART in request.headers
