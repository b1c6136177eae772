"""What the daemon can do: the table of all commands, one row each."""

from kycmanager.commands import (
    account,
    audit,
    case,
    cases,
    customer,
    deliveries,
    desk,
    documents,
    files,
    logins,
    malware,
    portal,
    profiles,
    search,
    statistics,
    steps,
    system,
    templates,
    users,
    wallets,
    workflow,
)
from kycmanager.commands import keys as keys_rows
from kycmanager.commands.model import Command

TABLE: tuple[Command, ...] = (
    *templates.COMMANDS,
    *profiles.COMMANDS,
    *steps.COMMANDS,
    *documents.COMMANDS,
    *files.COMMANDS,
    *audit.COMMANDS,
    *customer.COMMANDS,
    *portal.COMMANDS,
    *workflow.COMMANDS,
    *malware.COMMANDS,
    *keys_rows.COMMANDS,
    *cases.COMMANDS,
    *case.COMMANDS,
    *desk.COMMANDS,
    *search.COMMANDS,
    *statistics.COMMANDS,
    *deliveries.COMMANDS,
    *users.COMMANDS,
    *logins.COMMANDS,
    *wallets.COMMANDS,
    *account.COMMANDS,
    *system.COMMANDS,
    system.describe_row(lambda: TABLE),
)
"""Every command; dispatch, routes, access, documents and clients are made from these rows."""
