"""The page about oneself: who one is, and from where one is signed in."""

from aiohttp import web

from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.shell import Key, Place, Shell, visit_of
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.http import form_of, go, number

PLACE = Place("account", f"{PREFIX}/account", "Account")
KEYS = (Key("j k", "next, previous sign-in"),)


class Account:
    """Lists and ends one's own sign-ins."""

    def __init__(self, shell: Shell, gateway: Gateway) -> None:
        self._shell = shell
        self._gateway = gateway

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page."""
        return [web.get(PLACE.path, self.show), web.post(f"{PLACE.path}/end", self.end)]

    async def show(self, request: web.Request) -> web.Response:
        """Show the sign-ins."""
        found = await self._gateway.run_local(visit_of(request).who, "SysGetLogins", {})
        return self._shell.page(request, "account.html", PLACE.name, {"logins": found["logins"]}, keys=KEYS)

    async def end(self, request: web.Request) -> web.Response:
        """End one of them."""
        login_id = number(form_of(request), "id")
        await self._gateway.run_local(visit_of(request).who, "SysEndLogin", {"id": login_id})
        self._shell.tell(request, "That sign-in has ended.")
        return go(PLACE.path)
