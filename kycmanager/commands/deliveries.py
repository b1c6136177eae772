"""What is told to others by calls: where it stands, trying it again, and what the worker keeps of it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    AnyId,
    Brand,
    Command,
    Id,
    Kind,
    QueryContext,
    Reply,
    Request,
    Route,
    Time,
    WriteContext,
    local_row,
)
from kycmanager.commands.pages import scope_of
from kycmanager.commands.views import ListReply
from kycmanager.domain.errors import Code, forbidden, invalid, not_found
from kycmanager.domain.outbound import Delivery, DeliveryState
from kycmanager.domain.session import DECIDERS, MANAGERS
from kycmanager.outbound_ports import DeliveryQuery

ChannelName = Annotated[str, Meta(max_length=64)]
State = Literal["", "waiting", "delivered", "dead", "dropped"]


class GetDeliveries(Request, frozen=True, kw_only=True):
    """Filters; one that is left out means "any", and so do 0 and an empty text. `after` is the `next` of a page."""

    brand: Brand | UnsetType = UNSET
    customer_id: AnyId = 0
    state: State = ""
    channel: ChannelName = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[str, Meta(max_length=64, pattern="^[0-9]{0,15}$")] = ""


class ReplayDelivery(Request, frozen=True, kw_only=True):
    """One delivery that waits or was given up; or a channel, for all of it that were given up.

    With `from_seq` the channel is told all its events anew from this number of the feed on.
    """

    id: AnyId = 0
    channel: ChannelName = ""
    from_seq: AnyId = 0


class NewDelivery(Struct, frozen=True, kw_only=True):
    """An event that a channel is to tell; `mark` is kept of the recipient where it is not empty."""

    brand: Brand | Literal[""]
    customer_id: AnyId
    recipient: AnyId = 0
    seq: Id
    kind: Annotated[str, Meta(max_length=64)]
    body: str = ""
    mark: Annotated[str, Meta(max_length=200)] = ""


class QueueDeliveries(Request, frozen=True, kw_only=True):
    """What a channel found in the feed after number `looked_from` up to `looked_to`; null for one never heard of.

    Nothing is done when the channel has looked elsewhere since: what was sent twice is kept once.
    """

    channel: ChannelName
    looked_from: AnyId | None
    looked_to: AnyId
    deliveries: list[NewDelivery] = []


class SettleDelivery(Request, frozen=True, kw_only=True):
    """What became of an attempt: its outcome, where the delivery stands now, and when it is tried again."""

    id: Id
    state: Literal["waiting", "delivered", "dead", "dropped"]
    outcome: Annotated[str, Meta(max_length=64)]
    next_time: Time = 0


class ForgetDeliveries(Request, frozen=True, kw_only=True):
    """The time before which those have ended that are forgotten."""

    ended_before: Time


class DeliveryView(Struct, frozen=True, kw_only=True):
    """A delivery, without what is sent."""

    id: int
    channel: str
    brand: str
    customer_id: int
    seq: int
    kind: str
    state: State
    attempts: int
    created_time: int
    next_time: int
    ended_time: int
    outcome: str


class DeliveryList(ListReply, frozen=True, kw_only=True):
    """Deliveries, newest first."""

    rows: list[DeliveryView]


class Replayed(Reply, frozen=True, kw_only=True):
    """How many deliveries are tried again; those of `from_seq` are not counted, they are found in the feed later."""

    replayed: int


def _view(delivery: Delivery) -> DeliveryView:
    state: Any = delivery.state.name.lower()
    return DeliveryView(
        id=delivery.id,
        channel=delivery.channel,
        brand=delivery.brand,
        customer_id=delivery.customer_id,
        seq=delivery.seq,
        kind=delivery.kind,
        state=state,
        attempts=delivery.attempts,
        created_time=delivery.created_time,
        next_time=delivery.next_time,
        ended_time=delivery.ended_time,
        outcome=delivery.outcome,
    )


async def get_deliveries(context: QueryContext, request: GetDeliveries, _target: None) -> DeliveryList:
    """List deliveries, newest first."""
    found, count, capped = await context.store.deliveries(
        DeliveryQuery(
            brands=scope_of(context.session, request.brand),
            customer_id=request.customer_id,
            channel=request.channel,
            state=DeliveryState[request.state.upper()] if request.state else None,
            before_id=int(request.after or 0),
            limit=request.limit + 1,
        )
    )
    rows = found[: request.limit]
    more = str(rows[-1].id) if len(found) > request.limit else None
    page = DeliveryList(rows=[_view(each) for each in rows], count=count, next=more)
    return replace(page, count_capped=True) if capped else page


def to_replay(changes: Any, session: Any, request: ReplayDelivery) -> Sequence[Delivery]:
    """Find what a manager wants tried again; telling a channel anew needs a token of all brands."""
    if bool(request.id) == bool(request.channel):
        raise invalid("id", "give id or channel, one of them")
    if request.id:
        found = changes.outbound.delivery(request.id)
        if found is None or not session.sees(found.brand):
            raise not_found("delivery")
        return [found]
    if request.from_seq:
        if session.brands is not None:
            raise forbidden()
        if changes.outbound.cursor(request.channel) is None:
            raise not_found("channel")
        return []
    return [each for each in changes.outbound.dead(request.channel) if session.sees(each.brand)]


def replay(context: WriteContext, request: ReplayDelivery, target: Sequence[Delivery]) -> Replayed:
    """Try deliveries again now, for as long as new ones; or have a channel look at the feed again."""
    outbound = context.changes.outbound
    if request.from_seq:
        cursor = outbound.cursor(request.channel)
        assert cursor is not None
        outbound.set_cursor(request.channel, min(cursor, request.from_seq - 1))
        details = {"channel": request.channel, "from_seq": request.from_seq}
        trail.audit(context, "delivery.replayed", brand="", details=details)
        return Replayed(replayed=0)
    for delivery in target:
        outbound.put_delivery(_again(delivery, context.now))
        trail.audit(
            context,
            "delivery.replayed",
            brand=delivery.brand,
            customer_id=delivery.customer_id,
            details={"channel": delivery.channel, "delivery_id": delivery.id, "seq": delivery.seq},
        )
    return Replayed(replayed=len(target))


def ask_again(context: WriteContext, request: ReplayDelivery, target: Sequence[Delivery]) -> Accepted:
    """Do the same for a manager; how many there are is shown by the list, also where a key repeats the request."""
    replay(context, request, target)
    return ACCEPTED


def _again(delivery: Delivery, now: int) -> Delivery:
    return replace(delivery, state=DeliveryState.WAITING, since=now, next_time=now, ended_time=0)


def queue(context: WriteContext, request: QueueDeliveries, _target: None) -> Accepted:
    """Keep what is to be sent, and how far the channel has looked, together."""
    outbound, channel = context.changes.outbound, request.channel
    if outbound.cursor(channel) != request.looked_from:
        return ACCEPTED
    outbound.set_cursor(channel, request.looked_to)
    for new in request.deliveries:
        if new.mark:
            outbound.set_mark(channel, new.recipient, new.mark)
        held = outbound.delivery_of(channel, new.seq, new.recipient)
        if held is None:
            outbound.put_delivery(_made(context, channel, new))
        elif held.state is DeliveryState.DEAD:
            outbound.put_delivery(_again(held, context.now))
    return ACCEPTED


def _made(context: WriteContext, channel: str, new: NewDelivery) -> Delivery:
    now = context.now
    return Delivery(
        id=context.changes.next_id("delivery"),
        channel=channel,
        brand=new.brand,
        customer_id=new.customer_id,
        recipient=new.recipient,
        seq=new.seq,
        kind=new.kind,
        body=new.body,
        state=DeliveryState.WAITING,
        attempts=0,
        created_time=now,
        since=now,
        next_time=now,
        ended_time=0,
        outcome="",
    )


def settle(context: WriteContext, request: SettleDelivery, _target: None) -> Accepted:
    """Keep what became of an attempt; what has arrived is kept without what was sent."""
    outbound, state = context.changes.outbound, DeliveryState[request.state.upper()]
    held = outbound.delivery(request.id)
    if held is None or held.state is not DeliveryState.WAITING:
        return ACCEPTED
    arrived = state in {DeliveryState.DELIVERED, DeliveryState.DROPPED}
    outbound.put_delivery(
        replace(
            held,
            state=state,
            attempts=held.attempts + 1,
            next_time=request.next_time,
            ended_time=0 if state is DeliveryState.WAITING else context.now,
            outcome=request.outcome,
            body="" if arrived else held.body,
        )
    )
    return ACCEPTED


def forget(context: WriteContext, request: ForgetDeliveries, _target: None) -> Accepted:
    """Delete what ended long ago."""
    context.changes.outbound.forget(request.ended_before)
    return ACCEPTED


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycDeliveries",
        summary="Show what is told to others by webhooks and callbacks, newest first",
        request=GetDeliveries,
        reply=DeliveryList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.QUERY,
        handler=get_deliveries,
        errors=(),
        route=Route(("GET",), "/manager/kyc/deliveries"),
    ),
    Command(
        name="MngReplayKycDelivery",
        summary="Try deliveries again that wait or were given up, or tell a channel anew",
        request=ReplayDelivery,
        reply=Accepted,
        access=Access(DECIDERS, to_replay),
        kind=Kind.WRITE,
        handler=ask_again,
        errors=(Code.NOT_FOUND,),
        route=Route(("POST",), "/manager/kyc/deliveries/replay"),
    ),
    local_row(
        "SysReplayDelivery",
        "Operator: try deliveries again, or tell a channel anew",
        ReplayDelivery,
        Replayed,
        replay,
        to_replay,
        Code.NOT_FOUND,
    ),
    local_row(
        "SysQueueDeliveries",
        "Outbound: keep what is to be told to others",
        QueueDeliveries,
        Accepted,
        queue,
        scopes.anything,
    ),
    local_row(
        "SysSettleDelivery",
        "Outbound: keep what became of an attempt",
        SettleDelivery,
        Accepted,
        settle,
        scopes.anything,
    ),
    local_row(
        "SysForgetDeliveries",
        "Outbound: forget what ended long ago",
        ForgetDeliveries,
        Accepted,
        forget,
        scopes.anything,
    ),
)
