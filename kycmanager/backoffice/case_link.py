"""The customer's way in, on the page of a case: a one-time link to the customer's own page, shown this once."""

from aiohttp import web

from kycmanager.backoffice.case import KEYS
from kycmanager.backoffice.case_read import CASES, CaseReader
from kycmanager.backoffice.shell import Shell, visit_of
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import id_of, is_partial


class CaseLink:
    """Makes the links. They stand in the answer alone: neither a later page nor an address ever holds one."""

    def __init__(self, shell: Shell, gateway: Gateway, reader: CaseReader) -> None:
        self._shell = shell
        self._gateway = gateway
        self._reader = reader

    def routes(self) -> list[web.RouteDef]:
        """Return the route."""
        return [web.post(f"{CASES}/{{kyc_id}}/link", self.make)]

    async def make(self, request: web.Request) -> web.Response:
        """Make a link and show it."""
        who, kyc_id = visit_of(request).who, id_of(request, "kyc_id", "case")
        link = await self._gateway.run(who, "MngMakeKycPortalLink", {"id": kyc_id})
        values = {**await self._reader.whole(who, kyc_id), "link": link}
        if is_partial(request):
            return self._shell.fragment(request, "parts/case_linked.html", values)
        return self._shell.page(request, "case.html", "queue", values, keys=KEYS)
