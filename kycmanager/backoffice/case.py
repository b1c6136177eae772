"""The page of one case: where the customer stands, what was asked and handed in, and who works on it."""

from typing import Any

from aiohttp import web

from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.people import People
from kycmanager.backoffice.shell import Key, Shell, visit_of
from kycmanager.domain.errors import KycError
from kycmanager.domain.session import DECIDERS
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import go, id_of

CASES = f"{PREFIX}/cases"
KEYS = (
    Key("j k", "next, previous step"),
    Key("c", "claim the case, or keep it for another while"),
    Key("x", "let the case go"),
    Key("n", "claim the next case that nobody holds, and open it"),
)

CONFLICT = 409


def path_of(kyc_id: int) -> str:
    """Return where a case stands."""
    return f"{CASES}/{kyc_id}"


class Case:
    """Shows a case and its claim."""

    def __init__(self, shell: Shell, gateway: Gateway, people: People) -> None:
        self._shell = shell
        self._gateway = gateway
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        place = f"{CASES}/{{kyc_id}}"
        return [
            web.get(place, self.show),
            web.post(f"{place}/claim", self.claim),
            web.post(f"{place}/take-over", self.take_over),
            web.post(f"{place}/release", self.release),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the case; one of another brand is as unknown as one that is not there."""
        who, kyc_id = visit_of(request).who, id_of(request, "kyc_id", "case")
        await self._gateway.run(who, "MngNoteKycAccess", {"action": "view", "kyc_id": kyc_id})
        found = await self._gateway.run(who, "MngGetKycProfile", {"id": kyc_id})
        case = (await self._gateway.run(who, "MngGetKycCase", {"kyc_id": kyc_id}))["case"]
        documents: dict[int, list[dict[str, Any]]] = {}
        for document in found["documents"]:
            documents.setdefault(document["step_id"], []).append(document)
        values = {
            **found,
            "case": case,
            "documents": documents,
            "holder": self._people.holder(who, case),
            "waited": self._people.now() - case["waiting_since"],
            "may_take_over": who.type in DECIDERS,
            "path": path_of(kyc_id),
        }
        return self._shell.page(request, "case.html", "queue", values, keys=KEYS)

    async def claim(self, request: web.Request) -> web.Response:
        """Claim the case, or keep it for another lease."""
        return await self._do(request, "MngClaimKycCase", {}, "You hold this case now.")

    async def take_over(self, request: web.Request) -> web.Response:
        """Take the case from whoever holds it."""
        return await self._do(request, "MngClaimKycCase", {"take_over": True}, "You have taken this case over.")

    async def release(self, request: web.Request) -> web.Response:
        """Let the case go."""
        return await self._do(request, "MngReleaseKycCase", {}, "You have let this case go.")

    async def _do(self, request: web.Request, command: str, data: dict[str, Any], said: str) -> web.Response:
        kyc_id = id_of(request, "kyc_id", "case")
        try:
            await self._gateway.run(visit_of(request).who, command, {"kyc_id": kyc_id, **data})
        except KycError as error:
            if error.code.status != CONFLICT:
                raise
            self._shell.tell(request, self._explained(error), kind="fault")
        else:
            self._shell.tell(request, said)
        return go(path_of(kyc_id))

    def _explained(self, error: KycError) -> str:
        """Say why something cannot be done any more; the page shows what holds now."""
        held = error.data or {}
        if "assignee" in held:
            name = self._people.name(held["assignee_session"], held["assignee"])
            return f"{name} was faster and holds this case now."
        return f"{error.message}. This is what holds now."
