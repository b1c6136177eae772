"""The pages of customers put together."""

from collections.abc import Collection

from msgspec import Struct

from kycmanager.commands.execute import Executor, Faults
from kycmanager.file_ports import FileStore
from kycmanager.pages import texts
from kycmanager.pages.assets import Assets
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.messages import Messages
from kycmanager.pages.serving import COMMON, Pages
from kycmanager.pages.visits import VisitSettings
from kycmanager.portal.entry import Entry
from kycmanager.portal.guard import Guard
from kycmanager.portal.home import Home
from kycmanager.portal.paths import PREFIX
from kycmanager.portal.shell import Shell
from kycmanager.portal.step import StepPage
from kycmanager.portal.uploads import Uploads
from kycmanager.portal.visits import Visits
from kycmanager.ports import Clock
from kycmanager.tokens.passes import Passes
from kycmanager.transports.bearer import WrongToken
from kycmanager.transports.rest.commands import Observe
from kycmanager.transports.rest.settings import RestSettings

SOURCE = "portal"
"""What the audit tells of this way in."""

PACKAGES = (COMMON, "kycmanager.portal")
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
    settings: VisitSettings


class Portal(Pages):
    """The pages of customers."""

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
        guard = Guard(visits, shell, hall.faults)
        super().__init__(PACKAGES, PREFIX, guard, assets, pages, {"machine_time": texts.machine_time})


def accepted(extensions: Collection[str]) -> str:
    """Return what a browser offers to choose: pictures by their kind, so that phones offer the camera too."""
    pictures = ["image/*"] if PICTURES & set(extensions) else []
    return ",".join([*pictures, *[f".{extension}" for extension in extensions]])
