"""The figures of the work: what was decided and how fast, what waits, what runs out."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from kycmanager.commands import scopes
from kycmanager.commands.model import Access, Brand, Command, Kind, ReadContext, Reply, Request, Route, Time
from kycmanager.commands.pages import scope_of
from kycmanager.domain import statistics
from kycmanager.domain.errors import invalid
from kycmanager.domain.session import MANAGERS
from kycmanager.domain.statistics import APPROVED, DAY_SECONDS, OTHER, REJECTED, SKIPPED, DayTally

DAYS = 30
"""The days told of when none are asked for."""

DAYS_MAX = 366
ROWS_MAX = 100
"""Reasons told of one by one; the rest is one row."""

BANDS = (3_600, 4 * 3_600, DAY_SECONDS, 3 * DAY_SECONDS, 7 * DAY_SECONDS)
"""The ages by which the queue is divided, in seconds."""

EXPIRING = (30, 60, 90)
_MEDIAN, _P90 = 50, 90

Decision = Literal["approved", "rejected", "skipped"]


class GetStatistics(Request, frozen=True, kw_only=True):
    """The days to tell of, both ends included, of UTC: of 366 days at most; without times the last 30."""

    brand: Brand | UnsetType = UNSET
    time_from: Time = 0
    time_to: Time = 0


class Spread(Struct, frozen=True, kw_only=True):
    """Times in seconds, 5 % off at most; all are 0 where nothing was counted."""

    counted: int
    median: int
    p90: int


class DayView(Struct, frozen=True, kw_only=True):
    """One day of UTC."""

    day: int
    submitted: int
    approved: int
    rejected: int
    skipped: int
    reopened: int
    first_touch: Spread
    decision: Spread


class ReasonCount(Struct, frozen=True, kw_only=True):
    """A reason and how often it was given."""

    kind: Decision
    reason: str
    decisions: int


class LevelCount(Struct, frozen=True, kw_only=True):
    """A level and how many of its steps were approved."""

    level: int
    approved: int


class AgeBand(Struct, frozen=True, kw_only=True):
    """The cases older than the band before and not older than this."""

    seconds_max: Annotated[int, Meta(ge=0)]
    cases: int


class QueueAge(Struct, frozen=True, kw_only=True):
    """How long the cases of the queue have waited, in seconds, exactly; all are 0 where none waits."""

    cases: int
    oldest: int
    median: int
    p90: int
    bands: list[AgeBand]


class Expiring(Struct, frozen=True, kw_only=True):
    """How many approved documents run out from today to so many days of UTC later."""

    d30: int
    d60: int
    d90: int


class StatisticsReply(Reply, frozen=True, kw_only=True):
    """Every day of the range; the sums over it; queue and expiries as they are now."""

    days: list[DayView]
    reasons: list[ReasonCount]
    levels: list[LevelCount]
    queue_age: QueueAge
    first_touch: Spread
    decision: Spread
    expiring: Expiring
    uncounted: int


def _range(request: GetStatistics, now: int) -> tuple[int, int]:
    """Return the first and the last day asked for."""
    last = (request.time_to or now) // DAY_SECONDS
    first = request.time_from // DAY_SECONDS if request.time_from else max(0, last - DAYS + 1)
    if first > last or (request.time_to and request.time_from > request.time_to):
        raise invalid("time_from", "is after time_to; swap them")
    if last - first >= DAYS_MAX:
        raise invalid("time_from", f"is too early: at most {DAYS_MAX} days can be asked for at once")
    return first, last


def _spread(times: statistics.Times) -> Spread:
    median, p90 = statistics.quantiles(times, _MEDIAN, _P90)
    return Spread(counted=sum(times.values()), median=median, p90=p90)


def _decided(tally: DayTally, kind: str) -> int:
    return sum(tally.decisions.get(kind, {}).values())


def _day(day: int, tally: DayTally) -> DayView:
    return DayView(
        day=day * DAY_SECONDS,
        submitted=tally.submitted,
        approved=_decided(tally, APPROVED),
        rejected=_decided(tally, REJECTED),
        skipped=_decided(tally, SKIPPED),
        reopened=tally.reopened,
        first_touch=_spread(tally.first_touch),
        decision=_spread(tally.decision),
    )


def _reasons(total: DayTally) -> list[ReasonCount]:
    """Return the reasons, those given most first; those behind are one row for each kind."""
    kinds: tuple[Decision, ...] = (APPROVED, REJECTED, SKIPPED)
    found = [
        ReasonCount(kind=kind, reason=reason, decisions=count)
        for kind in kinds
        for reason, count in total.decisions.get(kind, {}).items()
    ]
    found.sort(key=lambda each: (-each.decisions, each.kind, each.reason))
    named = [each for each in found if each.reason != OTHER][:ROWS_MAX]
    rest = Counter({kind: _decided(total, kind) for kind in kinds})
    rest.subtract({kind: sum(each.decisions for each in named if each.kind == kind) for kind in kinds})
    return [*named, *[ReasonCount(kind=kind, reason=OTHER, decisions=rest[kind]) for kind in kinds if rest[kind]]]


def _queue_age(context: ReadContext, brands: frozenset[str] | None) -> QueueAge:
    ages = context.records.statistics.ages(brands, context.now, BANDS)
    within: Sequence[int] = (0, *ages.within, ages.cases)
    bands = [
        AgeBand(seconds_max=seconds, cases=within[place + 1] - within[place])
        for place, seconds in enumerate((*BANDS, 0))
    ]
    return QueueAge(cases=ages.cases, oldest=ages.oldest, median=ages.median, p90=ages.p90, bands=bands)


def get_statistics(context: ReadContext, request: GetStatistics, _target: None) -> StatisticsReply:
    """Tell what was counted by day, and what waits and runs out now; nothing is looked for."""
    held, brands = context.records.statistics, scope_of(context.session, request.brand)
    first, last = _range(request, context.now)
    tallies, total = dict(held.days(brands, first, last)), DayTally()
    for tally in tallies.values():
        statistics.merge(total, tally)
    d30, d60, d90 = held.expiring(brands, context.now // DAY_SECONDS, EXPIRING)
    nothing = DayTally()
    return StatisticsReply(
        days=[_day(day, tallies.get(day, nothing)) for day in range(first, last + 1)],
        reasons=_reasons(total),
        levels=[LevelCount(level=level, approved=total.levels[level]) for level in sorted(total.levels)],
        queue_age=_queue_age(context, brands),
        first_touch=_spread(total.first_touch),
        decision=_spread(total.decision),
        expiring=Expiring(d30=d30, d60=d60, d90=d90),
        uncounted=held.behind,
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngGetKycStatistics",
        summary="Tell how much was decided and how fast, what waits and what runs out",
        request=GetStatistics,
        reply=StatisticsReply,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_statistics,
        errors=(),
        route=Route(("GET",), "/manager/kyc/statistics"),
    ),
)
