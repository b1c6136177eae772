"""One case by itself: what of it waits, and who holds it."""

from kycmanager.commands import scopes
from kycmanager.commands.cases import CaseReply, case_view
from kycmanager.commands.model import Access, Command, Id, Kind, ReadContext, Request, Route
from kycmanager.domain.errors import Code
from kycmanager.domain.records import Profile
from kycmanager.domain.session import MANAGERS


class GetCase(Request, frozen=True, kw_only=True):
    """The case to show."""

    kyc_id: Id


def get_case(context: ReadContext, _request: GetCase, target: Profile) -> CaseReply:
    """Show a case; one in which nothing waits has `waiting_since` 0."""
    return CaseReply(case=case_view(context.records, target, context.now))


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycCase",
        summary="Show who works on a case, and what of it waits",
        request=GetCase,
        reply=CaseReply,
        access=Access(MANAGERS, scopes.profile_named),
        kind=Kind.READ,
        handler=get_case,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/case"),
    ),
)
