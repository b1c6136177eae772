"""Sign-ins to the pages: rows no token reaches; the pages run them once somebody has shown who they are."""

from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct
from msgspec.structs import replace

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    END,
    Accepted,
    AnyId,
    Brand,
    Command,
    Id,
    Kind,
    ReadContext,
    Reply,
    Request,
    Time,
    WriteContext,
    local_row,
)
from kycmanager.commands.system import Nothing
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code, KycError, forbidden, not_found
from kycmanager.domain.session import MANAGERS, Session
from kycmanager.domain.users import LOGINS_MAX, USED_SECONDS, Login, User, UserStatus
from kycmanager.ports import Records

Hash = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{END}")]
Shown = Annotated[str, Meta(max_length=200)]

_REFUSED = "The name, the password or the code is wrong"


class NewLogin(Request, frozen=True, kw_only=True):
    """What a new sign-in has, whoever it is: the SHA-256 of its cookie in hex, and where it comes from."""

    cookie_hash: Hash
    expires: Time
    address: Shown
    agent: Shown


class SignInUser(NewLogin, frozen=True, kw_only=True):
    """A user whose password was right; `totp_counter` is the half minute of the code, 0 without one."""

    user_id: Id
    totp_counter: AnyId = 0


class SignInToken(NewLogin, frozen=True, kw_only=True):
    """The holder of a token that was verified; `brands` null is all of them."""

    session: SessionType
    sub: AnyId
    brands: list[Brand] | None
    jti: Annotated[str, Meta(max_length=128)]
    issued: Time


class Named(Protocol):
    """What names a sign-in by its id."""

    @property
    def id(self) -> int:
        """The id of the sign-in."""
        ...


class NameLogin(Request, frozen=True, kw_only=True):
    """One of the caller's own sign-ins."""

    id: Id


class LoginFacts(Struct, frozen=True, kw_only=True):
    """A sign-in as its owner sees it."""

    id: int
    created_time: int
    used_time: int
    expires: int
    address: str
    agent: str


class LoginReply(Reply, frozen=True, kw_only=True):
    """The new sign-in."""

    login: LoginFacts


class LoginsReply(Reply, frozen=True, kw_only=True):
    """The caller's sign-ins, the last one first."""

    logins: list[LoginFacts]


def _facts(login: Login) -> LoginFacts:
    return LoginFacts(
        id=login.id,
        created_time=login.created_time,
        used_time=login.used_time,
        expires=login.expires,
        address=login.address,
        agent=login.agent,
    )


def user_active(records: Records, _session: Session, request: SignInUser) -> User:
    """Find the user whose password was right; who was disabled since is told what a wrong password is told."""
    user = records.users.user(request.user_id)
    if user is None or user.status is not UserStatus.ACTIVE:
        raise KycError(Code.UNAUTHENTICATED, _REFUSED)
    return user


def own(records: Records, session: Session, request: Named) -> Login:
    """Find one of the caller's own sign-ins; another's does not exist for the caller."""
    login = records.users.login(request.id)
    if login is None or not login.is_of(session):
        raise not_found("sign-in")
    return login


def sign_in_user(context: WriteContext, request: SignInUser, user: User) -> LoginReply:
    """Sign a user in; a code that was used is good no more."""
    if user.totp:
        if request.totp_counter <= user.totp_counter:
            raise KycError(Code.UNAUTHENTICATED, _REFUSED)
        context.changes.users.put_user(replace(user, totp_counter=request.totp_counter))
    login = _new_login(context, request, user_id=user.id, session=user.role, sub=user.id, issued=context.now)
    return _opened(context, login, {"login": login.id, "name": user.name, "address": request.address})


def sign_in_token(context: WriteContext, request: SignInToken, _target: None) -> LoginReply:
    """Sign the holder of a token in."""
    if request.session not in MANAGERS:
        raise forbidden()
    login = _new_login(
        context,
        request,
        user_id=0,
        session=request.session,
        sub=request.sub,
        issued=request.issued,
        brands=None if request.brands is None else tuple(request.brands),
        jti=request.jti,
    )
    return _opened(context, login, {"login": login.id, "jti": login.jti, "address": request.address})


def _new_login(context: WriteContext, request: NewLogin, **of_whom: Any) -> Login:
    facts = {"brands": None, "jti": "", **of_whom}
    return Login(
        id=context.changes.next_id("login"),
        cookie_hash=bytes.fromhex(request.cookie_hash),
        created_time=context.now,
        used_time=context.now,
        expires=request.expires,
        address=request.address,
        agent=request.agent,
        **facts,
    )


def _opened(context: WriteContext, login: Login, details: dict[str, Any]) -> LoginReply:
    """Keep the sign-in, let go of those that have run out and of the oldest where one has too many; tell the audit."""
    users = context.changes.users
    others = [each for each in users.logins() if each.expires > context.now]
    its_own = [each for each in others if (each.session, each.sub) == (login.session, login.sub)]
    kept = {each.id for each in others} - {each.id for each in its_own[: max(0, len(its_own) + 1 - LOGINS_MAX)]}
    for each in users.logins():
        if each.id not in kept:
            users.end_login(each.id)
    users.put_login(login)
    who = replace(context, session=Session(sub=login.sub, type=login.session, brands=None))
    trail.audit(who, "user.signed_in", brand="", details=details)
    return LoginReply(login=_facts(login))


def use_login(context: WriteContext, _request: NameLogin, login: Login) -> Accepted:
    """Write down that a sign-in is used."""
    if context.now >= login.used_time + USED_SECONDS:
        context.changes.users.put_login(replace(login, used_time=context.now))
    return ACCEPTED


def end_login(context: WriteContext, _request: NameLogin, login: Login) -> Accepted:
    """End a sign-in."""
    context.changes.users.end_login(login.id)
    trail.audit(context, "user.signed_out", brand="", details={"login": login.id})
    return ACCEPTED


def get_logins(context: ReadContext, _request: Nothing, _target: None) -> LoginsReply:
    """List the caller's own sign-ins."""
    found = [each for each in context.records.users.logins() if each.is_of(context.session)]
    return LoginsReply(logins=[_facts(each) for each in reversed(found) if each.expires > context.now])


COMMANDS: tuple[Command, ...] = (
    local_row("SysSignInUser", "Pages: sign a user in", SignInUser, LoginReply, sign_in_user, user_active),
    local_row(
        "SysSignInToken", "Pages: sign a token's holder in", SignInToken, LoginReply, sign_in_token, scopes.anything
    ),
    local_row("SysUseLogin", "Pages: note that a sign-in is used", NameLogin, Accepted, use_login, own, Code.NOT_FOUND),
    local_row("SysEndLogin", "Pages: end a sign-in", NameLogin, Accepted, end_login, own, Code.NOT_FOUND),
    local_row(
        "SysGetLogins",
        "Pages: list one's own sign-ins",
        Nothing,
        LoginsReply,
        get_logins,
        scopes.anything,
        kind=Kind.READ,
    ),
)
