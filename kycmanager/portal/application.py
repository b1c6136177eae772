"""The pages of customers put together: one aiohttp application that the HTTP door serves below its prefix."""

import logging
from collections.abc import Collection

from aiohttp import web
from msgspec import Struct

from kycmanager.commands.execute import Executor, Faults
from kycmanager.file_ports import FileStore
from kycmanager.pages.assets import Assets
from kycmanager.pages.gateway import Gateway, Observe
from kycmanager.pages.http import FORM_BYTES_MAX
from kycmanager.pages.messages import Messages
from kycmanager.portal.entry import Entry, WrongToken
from kycmanager.portal.guard import ASSET, Guard
from kycmanager.portal.home import Home
from kycmanager.portal.paths import PREFIX
from kycmanager.portal.shell import Shell
from kycmanager.portal.step import StepPage
from kycmanager.portal.uploads import Uploads
from kycmanager.portal.visits import PortalSettings, Visits
from kycmanager.ports import Clock
from kycmanager.tokens.passes import Passes
from kycmanager.transports.rest.settings import RestSettings

SOURCE = "portal"
"""What the audit tells of this way in."""

PACKAGES = ("kycmanager.pages", "kycmanager.portal")
PICTURES = frozenset({"png", "jpg", "jpeg", "heic", "webp", "gif"})


class Hall(Struct, frozen=True, kw_only=True):
    """What the pages need of the rest; `extensions` are the types of files that are taken."""

    executor: Executor
    passes: Passes
    files: FileStore
    clock: Clock
    observe: Observe
    faults: Faults
    wrong_token: WrongToken
    extensions: Collection[str]
    rest: RestSettings
    settings: PortalSettings


class Portal:
    """The pages. `prefix` is where they stand; `start` returns what serves them."""

    prefix = PREFIX

    def __init__(self, hall: Hall) -> None:
        messages = Messages(PACKAGES)
        gateway = Gateway(hall.executor, hall.observe, source=SOURCE)
        visits = Visits(hall.passes, messages, hall.clock, hall.settings)
        assets = Assets(PREFIX, PACKAGES)
        shell = Shell(assets, {name: words("language") for name, words in messages.by_language.items()})
        step = StepPage(
            shell, gateway, hall.files, accept=accepted(hall.extensions), file_bytes_max=hall.rest.file_bytes_max
        )
        pages = (
            Entry(shell, gateway, visits, hall.executor, hall.wrong_token),
            Home(shell, gateway),
            step,
            Uploads(step, gateway, hall.files, hall.rest),
        )
        app = web.Application(
            middlewares=[Guard(visits, shell, hall.faults).middleware],
            client_max_size=FORM_BYTES_MAX,
            logger=logging.getLogger("kycmanager.portal"),
        )
        app.router.add_get(f"{PREFIX}/static/{{path:.+}}", assets.send, name=ASSET)
        for page in pages:
            app.add_routes(page.routes())
        shell.set_up(app)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> web.Server:
        """Return what serves the pages."""
        await self._runner.setup()
        assert self._runner.server is not None
        return self._runner.server

    async def close(self) -> None:
        """Close; once more does nothing."""
        await self._runner.cleanup()


def accepted(extensions: Collection[str]) -> str:
    """Return what a browser offers to choose: pictures by their kind, so that phones offer the camera too."""
    pictures = ["image/*"] if PICTURES & set(extensions) else []
    return ",".join([*pictures, *[f".{extension}" for extension in extensions]])
