"""The first page: what is asked, where each step stands, and what happens next."""

from typing import Any

from aiohttp import web

from kycmanager.domain.enums import DocumentStatus
from kycmanager.pages.forms import said
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import go
from kycmanager.portal import asked
from kycmanager.portal.paths import HOME, PREFIX, step_path
from kycmanager.portal.shell import Shell
from kycmanager.portal.visits import visit_of

SYMBOLS = {"todo": "○", "begun": "◐", "elsewhere": "…", "pending": "…", "approved": "✓", "rejected": "!"}


class Home:
    """Lists the steps of the customer."""

    def __init__(self, shell: Shell, gateway: Gateway) -> None:
        self._shell = shell
        self._gateway = gateway

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [web.get(PREFIX, self.enter), web.get(HOME, self.show)]

    async def enter(self, _request: web.Request) -> web.Response:
        """Go to the page itself."""
        return go(HOME)

    async def show(self, request: web.Request) -> web.Response:
        """Show the steps in their order."""
        visit = visit_of(request)
        found = await self._gateway.run(visit.who, "CustomerGetKycStatus", {"lang": visit.words.language})
        listed = sorted(found["steps"], key=lambda step: (step["level"], step["id"]))
        rows = [self._row(step, found["documents"], visit.words.language) for step in listed]
        states = [row["state"] for row in rows]
        values = {
            "rows": rows,
            "coming": asked.coming(states),
            "done": sum(state in {"approved", "pending"} for state in states),
        }
        return self._shell.page(request, "home.html", values)

    def _row(self, step: dict[str, Any], documents: list[dict[str, Any]], language: str) -> dict[str, Any]:
        state = asked.state(step, documents)
        refused = [
            document
            for document in documents
            if document["step_id"] == step["id"] and document["status"] == DocumentStatus.REJECTED
        ]
        return {
            "step": step,
            "title": title_of(step, language),
            "state": state,
            "symbol": SYMBOLS[state],
            "path": step_path(step["id"]),
            "refused": refused if state in {"todo", "begun", "rejected"} else [],
        }


def title_of(step: dict[str, Any], language: str) -> str:
    """Return what a step is called: the title of its form in the language, else the name of its template."""
    form, titles = step["form_schema"], step["form_schema"].get("titles")
    has_own = "title" in form or (isinstance(titles, dict) and language in titles)
    return (said(form, "title", language) if has_own else "") or step["name"] or step["code"]
