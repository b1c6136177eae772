"""What users change of themselves: rows no token reaches; the pages run them once it is proven who asks."""

from msgspec.structs import replace

from kycmanager.commands import trail
from kycmanager.commands.logins import own
from kycmanager.commands.model import ACCEPTED, Accepted, AnyId, Command, Id, Request, WriteContext, local_row
from kycmanager.commands.users import PasswordHash, TotpSecret, keep
from kycmanager.domain.errors import Code, not_found
from kycmanager.domain.session import Session
from kycmanager.domain.users import User, UserStatus
from kycmanager.ports import Records


class OwnUser(Request, frozen=True, kw_only=True):
    """The caller's own sign-in, which says whose user it is."""

    id: Id


class SetOwnPassword(OwnUser, frozen=True, kw_only=True):
    """The new password; the one before was asked."""

    password_hash: PasswordHash


class SetOwnTotp(OwnUser, frozen=True, kw_only=True):
    """The secret of the codes and the half minute of the one that proved it; an empty secret asks for none any more."""

    totp_secret: TotpSecret
    totp_counter: AnyId = 0


def own_user(records: Records, session: Session, request: OwnUser) -> User:
    """Find the user who is signed in; the holder of a token is none, whatever its subject."""
    login = own(records, session, request)
    user = records.users.user(login.user_id) if login.user_id else None
    if user is None or user.status is not UserStatus.ACTIVE:
        raise not_found("user")
    return user


def set_own_password(context: WriteContext, request: SetOwnPassword, user: User) -> Accepted:
    """Change the password; whoever is signed in elsewhere by the one before is signed out."""
    keep(context, replace(user, password=request.password_hash))
    users = context.changes.users
    others = [each.id for each in users.logins() if each.user_id == user.id and each.id != request.id]
    for login_id in others:
        users.end_login(login_id)
    return _told(context, user, "password")


def set_own_totp(context: WriteContext, request: SetOwnTotp, user: User) -> Accepted:
    """Ask for codes of another secret from now on, or for none; the code that proved it is good no more."""
    keep(context, replace(user, totp=bytes.fromhex(request.totp_secret), totp_counter=request.totp_counter))
    return _told(context, user, "totp")


def _told(context: WriteContext, user: User, what: str) -> Accepted:
    details = {"user": user.id, "name": user.name, "changed": [what], "enabled": True}
    trail.audit(context, "user.changed", brand="", details=details)
    return ACCEPTED


COMMANDS: tuple[Command, ...] = (
    local_row(
        "SysSetOwnPassword",
        "Pages: change one's own password",
        SetOwnPassword,
        Accepted,
        set_own_password,
        own_user,
        Code.NOT_FOUND,
    ),
    local_row(
        "SysSetOwnTotp",
        "Pages: have oneself asked for codes, or not",
        SetOwnTotp,
        Accepted,
        set_own_totp,
        own_user,
        Code.NOT_FOUND,
    ),
)
