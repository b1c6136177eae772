"""The users who sign in to the pages, for the operator: rows no token reaches (`kycmanager user`)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    END,
    ID_MAX,
    AnyId,
    Brand,
    Command,
    Kind,
    ReadContext,
    Reply,
    Request,
    WriteContext,
    local_row,
)
from kycmanager.commands.system import Nothing
from kycmanager.domain.errors import Code, KycError, invalid, not_found
from kycmanager.domain.session import Session
from kycmanager.domain.totp import SECRET_BYTES
from kycmanager.domain.users import ROLES, User, UserStatus
from kycmanager.ports import Records

UserName = Annotated[str, Meta(pattern=rf"^[a-z0-9][a-z0-9_.@+-]{{0,63}}{END}")]
PasswordHash = Annotated[
    str, Meta(pattern=rf"^\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+{END}")
]
TotpSecret = Annotated[str, Meta(pattern=rf"^([0-9a-f]{{{2 * SECRET_BYTES}}})?{END}")]


class AddUser(Request, frozen=True, kw_only=True):
    """A new user; `id` 0 takes the next free one, `brands` null is all of them."""

    name: UserName
    role: Literal["manager", "admin", "crm_manager", "crm_admin"]
    brands: Annotated[list[Brand], Meta(min_length=1, max_length=1000)] | None
    password_hash: PasswordHash
    id: AnyId = 0


class SetUser(Request, frozen=True, kw_only=True):
    """What is to change of a user; what is left out stays. An empty `totp` asks for no codes any more."""

    name: UserName
    enabled: bool | UnsetType = UNSET
    password_hash: PasswordHash | UnsetType = UNSET
    totp: TotpSecret | UnsetType = UNSET


class RemoveUser(Request, frozen=True, kw_only=True):
    """The user to remove."""

    name: UserName


class UserFacts(Struct, frozen=True, kw_only=True):
    """A user as the operator sees one: never a password or a secret."""

    id: int
    name: str
    role: str
    brands: list[str] | None
    enabled: bool
    totp: bool
    logins: int
    created_time: int


class UserReply(Reply, frozen=True, kw_only=True):
    """The user after the change."""

    user: UserFacts


class UsersReply(Reply, frozen=True, kw_only=True):
    """All users but the removed ones."""

    users: list[UserFacts]


def _facts(records: Records, user: User) -> UserFacts:
    return UserFacts(
        id=user.id,
        name=user.name,
        role=user.role.name.lower(),
        brands=None if user.brands is None else list(user.brands),
        enabled=user.status is UserStatus.ACTIVE,
        totp=bool(user.totp),
        logins=sum(login.user_id == user.id for login in records.users.logins()),
        created_time=user.created_time,
    )


def named(records: Records, _session: Session, request: SetUser | RemoveUser) -> User:
    """Find the user the operator names."""
    found = records.users.user_named(request.name)
    if found is None:
        raise not_found("user")
    return found


def get_users(context: ReadContext, _request: Nothing, _target: None) -> UsersReply:
    """List the users."""
    users = [user for user in context.records.users.users() if user.status is not UserStatus.REMOVED]
    return UsersReply(users=[_facts(context.records, user) for user in users])


def add_user(context: WriteContext, request: AddUser, _target: None) -> UserReply:
    """Add a user under a name and an id nobody has or has had."""
    users = context.changes.users
    if users.user_named(request.name) is not None:
        raise KycError(Code.DUPLICATE_RECORD, "name: there is a user of this name; remove that one, or take another")
    if request.id and users.user(request.id) is not None:
        raise KycError(Code.DUPLICATE_RECORD, "id: belongs to a user or to one who was removed; take another")
    free = max((user.id for user in users.users()), default=0) + 1
    if not request.id and free > ID_MAX:
        raise invalid("id", "none is left above the highest; name one")
    user = User(
        id=request.id or free,
        name=request.name,
        role=ROLES[request.role],
        brands=None if request.brands is None else tuple(dict.fromkeys(request.brands)),
        status=UserStatus.ACTIVE,
        password=request.password_hash,
        totp=b"",
        totp_counter=0,
        created_time=context.now,
        updated_time=context.now,
        version=1,
    )
    users.put_user(user)
    details = {"user": user.id, "name": user.name, "role": request.role, "brands": request.brands}
    trail.audit(context, "user.added", brand="", details=details)
    return UserReply(user=_facts(context.changes, user))


def set_user(context: WriteContext, request: SetUser, user: User) -> UserReply:
    """Change a user; whoever is signed in by what is not good any more is signed out."""
    changed: dict[str, Any] = {}
    if request.enabled is not UNSET:
        changed["status"] = UserStatus.ACTIVE if request.enabled else UserStatus.DISABLED
    if request.password_hash is not UNSET:
        changed["password"] = request.password_hash
    if request.totp is not UNSET:
        changed |= {"totp": bytes.fromhex(request.totp), "totp_counter": 0}
    fresh = keep(context, replace(user, **changed))
    if fresh.status is not UserStatus.ACTIVE or "password" in changed:
        _sign_out(context, fresh)
    names = sorted(changed.keys() - {"totp_counter"})
    details = {"user": user.id, "name": user.name, "changed": names, "enabled": fresh.status is UserStatus.ACTIVE}
    trail.audit(context, "user.changed", brand="", details=details)
    return UserReply(user=_facts(context.changes, fresh))


def remove_user(context: WriteContext, _request: RemoveUser, user: User) -> UserReply:
    """Remove a user; only what names the person in the audit is kept."""
    gone = replace(user, status=UserStatus.REMOVED, password="", totp=b"", totp_counter=0)
    fresh = keep(context, gone)
    _sign_out(context, fresh)
    trail.audit(context, "user.removed", brand="", details={"user": user.id, "name": user.name})
    return UserReply(user=_facts(context.changes, fresh))


def keep(context: WriteContext, user: User) -> User:
    """Keep a user who was changed."""
    fresh = replace(user, updated_time=context.now, version=user.version + 1)
    context.changes.users.put_user(fresh)
    return fresh


def _sign_out(context: WriteContext, user: User) -> None:
    for login in context.changes.users.logins():
        if login.user_id == user.id:
            context.changes.users.end_login(login.id)


COMMANDS: tuple[Command, ...] = (
    local_row(
        "SysGetUsers",
        "Operator: list who may sign in to the pages",
        Nothing,
        UsersReply,
        get_users,
        scopes.anything,
        kind=Kind.READ,
    ),
    local_row(
        "SysAddUser",
        "Operator: let somebody sign in",
        AddUser,
        UserReply,
        add_user,
        scopes.anything,
        Code.DUPLICATE_RECORD,
    ),
    local_row(
        "SysSetUser",
        "Operator: disable a user, or change a password",
        SetUser,
        UserReply,
        set_user,
        named,
        Code.NOT_FOUND,
    ),
    local_row("SysRemoveUser", "Operator: remove a user", RemoveUser, UserReply, remove_user, named, Code.NOT_FOUND),
)
