"""The pages of reviewers put together."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from kycmanager.backoffice import account, audit, dashboard, queue, search, templates_list
from kycmanager.backoffice.account import Account
from kycmanager.backoffice.audit import Audit
from kycmanager.backoffice.case import Case
from kycmanager.backoffice.case_decide import CaseDecisions
from kycmanager.backoffice.case_files import CaseFiles
from kycmanager.backoffice.case_link import CaseLink
from kycmanager.backoffice.case_read import CaseReader
from kycmanager.backoffice.dashboard import Dashboard
from kycmanager.backoffice.exports import Exports
from kycmanager.backoffice.guard import Guard
from kycmanager.backoffice.live import Live
from kycmanager.backoffice.paths import PREFIX
from kycmanager.backoffice.people import People
from kycmanager.backoffice.proof import Proof
from kycmanager.backoffice.queue import Queue
from kycmanager.backoffice.search import Search
from kycmanager.backoffice.shell import Shell
from kycmanager.backoffice.sign_in import SignIn
from kycmanager.backoffice.templates_edit import TemplateEdit
from kycmanager.backoffice.templates_list import TemplateList
from kycmanager.backoffice.templates_status import TemplateStatusPage
from kycmanager.backoffice.visits import Visits
from kycmanager.commands.execute import Executor, Faults
from kycmanager.domain.records import Event
from kycmanager.file_ports import FileStore
from kycmanager.pages import texts
from kycmanager.pages.assets import Assets
from kycmanager.pages.gateway import Gateway
from kycmanager.pages.messages import FALLBACK, Messages
from kycmanager.pages.serving import COMMON, Pages
from kycmanager.pages.visits import VisitSettings
from kycmanager.ports import Clock
from kycmanager.tokens.revocations import Revocations
from kycmanager.transports.bearer import WrongToken
from kycmanager.transports.rest.commands import Observe
from kycmanager.user_ports import UserRecords

PACKAGES = (COMMON, "kycmanager.backoffice")
PLACES = (queue.PLACE, dashboard.PLACE, search.PLACE, audit.PLACE, templates_list.PLACE, account.PLACE)
"""The navigation, in its order."""


class Office(Struct, frozen=True, kw_only=True):
    """What the pages need of the rest. `epoch()` is another value whenever a sign-in may have ended.

    `request_seconds` is how long a rendition may take to be drawn, `language` that of reasons where none is asked for;
    `links`: customers have pages that a link leads to.
    """

    executor: Executor
    users: UserRecords
    revocations: Revocations
    clock: Clock
    observe: Observe
    faults: Faults
    wrong_token: WrongToken
    epoch: Callable[[], object]
    settings: VisitSettings
    storage: FileStore
    request_seconds: float
    language: str
    links: bool


class Backoffice(Pages):
    """The pages of reviewers; what follows the commits tells them."""

    def __init__(self, office: Office) -> None:
        gateway = Gateway(office.executor, office.observe, source="backoffice")
        people = People(office.users, office.clock)
        visits = Visits(office.users, people, office.revocations, office.clock, office.settings)
        assets = Assets(PREFIX, PACKAGES)
        self.live = Live(visits.lives, office.epoch)
        shell = Shell(assets, PLACES)
        self._proof = proof = Proof(office.clock)
        messages = Messages((COMMON,))
        reader = CaseReader(gateway, people, messages.of(FALLBACK), office.language, links=office.links)
        files = CaseFiles(shell, gateway, reader, office.storage, office.request_seconds)
        pages = (
            SignIn(shell, gateway, visits, office.users, office.executor, office.wrong_token, proof),
            Queue(shell, gateway, people, self.live),
            Dashboard(shell, gateway, people),
            Case(shell, gateway, people, reader, files),
            CaseDecisions(shell, gateway, reader),
            CaseLink(shell, gateway, reader),
            files,
            Search(shell, gateway),
            Audit(shell, gateway, people),
            Exports(gateway, people, visits.lives),
            TemplateList(shell, gateway),
            TemplateEdit(shell, gateway, messages),
            TemplateStatusPage(shell, gateway),
            Account(shell, gateway, office.users, proof),
        )
        guard = Guard(visits, shell, gateway, office.faults)
        super().__init__(PACKAGES, PREFIX, guard, assets, pages, texts.FILTERS)

    def publish(self, events: Sequence[Event]) -> None:
        """Tell open pages of a commit."""
        self.live.publish(events)

    def end_streams(self) -> None:
        """Let the open pages go: the daemon stops."""
        self.live.close()

    async def close(self) -> None:
        """Close the rest; once more does nothing."""
        self.live.close()
        self._proof.close()
        await super().close()
