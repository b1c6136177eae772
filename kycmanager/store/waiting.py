"""The index of the queue: the cases that wait, in order, with a set of ids for each value a filter can ask.

A filter is an intersection of sets, a count its size. The order is kept in pieces of a few hundred cases, each a set of
ids: a page is the first pieces that share ids with the filter, and only their cases are sorted. So no question walks
the whole queue, whatever it asks.

A decision pays little: a case that waits no longer only leaves the set of those that wait, which every question starts
from; what else was kept of it goes when it waits again, or in bulk. A case that waits on, or anew, is noted, and looked
at by the next question: most have been decided by then.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice

from msgspec import Struct
from pyroaring import BitMap64

from kycmanager.desk_ports import CaseQuery
from kycmanager.domain.case import ANY, CaseFilter, Facets, StepMark, facets
from kycmanager.domain.enums import ProfileStatus, RiskLevel, StepStatus
from kycmanager.domain.errors import invalid
from kycmanager.domain.records import Profile, Step
from kycmanager.statistics_ports import CaseAges
from kycmanager.store.claims import Claims

PIECE_MAX = 512
CHANGED_MAX = 4096
"""So many cases that wait on are noted before they are looked at without a question."""

GONE_MIN = 4096
"""So many cases that wait no longer are kept before they are removed in bulk."""

ID_BITS = 53
_ID = (1 << ID_BITS) - 1
_RISKS = sorted(RiskLevel, reverse=True)
_PENDING, _REVIEW = StepStatus.PENDING, ProfileStatus.REVIEW_REQUIRED
_NONE = BitMap64()

Key = str | int | StepMark
"""A brand, a level, a risk as a number below zero, or the code and status of a step."""

_RISK_KEYS = [-1 - risk for risk in sorted(RiskLevel)]


class CasePage(Struct, frozen=True, gc=False):
    """The ids of one page, how many cases there are in all, and the cursor of the page after it."""

    ids: list[int]
    count: int
    next: str | None


class Waiting:
    """The cases that wait; changed only after a commit. `profiles` and `steps_of` are the tables of the cache."""

    def __init__(self, claims: Claims, profiles: dict[int, Profile], steps_of: dict[int, tuple[Step, ...]]) -> None:
        self._ids = BitMap64()
        self._claims = claims
        self._profiles = profiles
        self._steps_of = steps_of
        self._changed: set[int] = set()
        self._known: dict[int, Facets] = {}
        self._sets: dict[Key, BitMap64] = {}
        self._pieces: list[BitMap64] = []
        self._starts: list[int] = []
        """The place from which on each piece holds the cases: time << 53 | id."""

    # -- changes

    def note(self, kyc_ids: Iterable[int]) -> None:
        """Learn that profiles or their steps have changed. Runs for every write: most cases wait no longer then."""
        steps_of, changed = self._steps_of, self._changed
        for kyc_id in kyc_ids:
            for step in steps_of.get(kyc_id, ()):
                if step.status is _PENDING:
                    changed.add(kyc_id)
                    break
            else:
                if self._profiles[kyc_id].status is _REVIEW:
                    changed.add(kyc_id)
                else:
                    changed.discard(kyc_id)
                    self._ids.discard(kyc_id)
        if len(changed) > CHANGED_MAX:
            self._settle()

    def _settle(self) -> None:
        """Look at the cases that were noted."""
        for kyc_id in self._changed:
            found = facets(self._profiles[kyc_id], self._steps_of.get(kyc_id, ()))
            if found is not None:
                self._take_in(kyc_id, found)
        self._changed.clear()
        if len(self._known) > 2 * len(self._ids) + GONE_MIN:
            self._forget_gone()

    def _take_in(self, kyc_id: int, found: Facets) -> None:
        old = self._known.get(kyc_id)
        self._ids.add(kyc_id)
        if old == found:
            return
        fresh = _keys(found)
        if old is not None:
            before = _keys(old)
            for key in before - fresh:
                self._sets[key].discard(kyc_id)
            fresh -= before
        for key in fresh:
            ids = self._sets.get(key)
            if ids is None:
                ids = self._sets[key] = BitMap64()
            ids.add(kyc_id)
        self._known[kyc_id] = found
        if old is None or old.since != found.since:
            if old is not None:
                self._pieces[self._piece_of(old.since << ID_BITS | kyc_id)].discard(kyc_id)
            self._place(found.since << ID_BITS | kyc_id)

    def load(self, kyc_ids: Iterable[int]) -> None:
        """Take in many cases at once, as at the start; the index must be empty."""
        members: defaultdict[Key, list[int]] = defaultdict(list)
        for kyc_id in kyc_ids:
            found = facets(self._profiles[kyc_id], self._steps_of.get(kyc_id, ()))
            if found is not None:
                self._known[kyc_id] = found
                for key in _keys(found):
                    members[key].append(kyc_id)
        self._sets = {key: BitMap64(ids) for key, ids in members.items()}
        self._ids = BitMap64(self._known)
        self._place_all()

    def _forget_gone(self) -> None:
        """Remove what is kept of cases that wait no longer."""
        gone = BitMap64(self._known) - self._ids
        for kyc_id in gone:
            del self._known[kyc_id]
        for key, ids in list(self._sets.items()):
            ids.difference_update(gone)
            if not ids:
                del self._sets[key]
        self._place_all()

    # -- the order

    def _place_all(self) -> None:
        places = sorted([found.since << ID_BITS | kyc_id for kyc_id, found in self._known.items()])
        parts = [places[first : first + PIECE_MAX] for first in range(0, len(places), PIECE_MAX)]
        self._starts = [part[0] for part in parts]
        self._pieces = [BitMap64([place & _ID for place in part]) for part in parts]

    def _place(self, place: int) -> None:
        if not self._pieces:
            self._starts.append(place)
            self._pieces.append(BitMap64())
        at = self._piece_of(place)
        self._starts[at] = min(self._starts[at], place)
        piece = self._pieces[at]
        piece.add(place & _ID)
        if len(piece) > 2 * PIECE_MAX:
            places = self._sorted(piece)
            # Those who join the end leave full pieces behind.
            cut = PIECE_MAX if at < len(self._pieces) - 1 else 2 * PIECE_MAX
            self._starts.insert(at + 1, places[cut])
            self._pieces[at : at + 1] = [BitMap64([each & _ID for each in part]) for part in _cut(places, cut)]

    def _piece_of(self, place: int) -> int:
        return max(bisect_right(self._starts, place) - 1, 0)

    def _sorted(self, ids: BitMap64) -> list[int]:
        known = self._known
        return sorted([known[kyc_id].since << ID_BITS | kyc_id for kyc_id in ids])

    def _walk(self, ids: BitMap64, after: int) -> Iterator[int]:
        """Yield the places of these cases, the oldest first, from behind a place on."""
        for piece in self._pieces[self._piece_of(after) :]:
            found = ids & piece
            if found:
                for place in self._sorted(found):
                    if place > after:
                        yield place

    def _between(self, first: int, last: int) -> BitMap64:
        """Return the cases that wait since a time in the range; only the two outer pieces are looked at one by one."""
        low, high = first << ID_BITS, ((last or 2**62) + 1) << ID_BITS
        begin, end = self._piece_of(low), bisect_left(self._starts, high)
        if end <= begin:
            return BitMap64()
        inner = self._pieces[begin + 1 : end - 1]
        found = BitMap64.union(*inner) if inner else BitMap64()
        for at in {begin, end - 1}:
            found.update([place & _ID for place in self._sorted(self._pieces[at]) if low <= place < high])
        return found

    # -- questions

    def matching(self, wanted: CaseFilter, now: int) -> BitMap64:
        """Return the cases a filter asks for; not to be changed."""
        if self._changed:
            self._settle()
        parts = [self._ids]
        if wanted.brands is not None:
            parts.append(self._any(list(wanted.brands)))
        if wanted.level != ANY:
            parts.append(self._any([wanted.level]))
        if wanted.risk_level != ANY:
            parts.append(self._any([_RISK_KEYS[wanted.risk_level]]))
        if wanted.step_code:
            status = _PENDING if wanted.step_status == ANY else wanted.step_status
            parts.append(self._any([(wanted.step_code, status)]))
        elif wanted.step_status != ANY:
            parts.append(self._any([key for key in self._sets if type(key) is tuple and key[1] == wanted.step_status]))
        if wanted.assignee > 0:
            parts.append(self._claims.held_by(wanted.assignee, wanted.assignee_session, now))
        if wanted.waiting_from or wanted.waiting_to:
            parts.append(self._between(wanted.waiting_from, wanted.waiting_to))
        found = parts[0] if len(parts) == 1 else BitMap64.intersection(*sorted(parts, key=len))
        return found - self._claims.held(now) if wanted.assignee == 0 else found

    def _any(self, keys: Iterable[Key]) -> BitMap64:
        found = [self._sets[key] for key in keys if key in self._sets]
        if not found:
            return _NONE
        return found[0] if len(found) == 1 else BitMap64.union(*found)

    def page(self, query: CaseQuery) -> CasePage:
        """Answer the queue: one page, the exact count, and the cursor. Raises INVALID_DATA for `after`."""
        ids = self.matching(query.filter, query.now)
        risk, after = _cursor(query.order, query.after) if query.after else (_RISKS[0], 0)
        walk = self._in_order(query.order, ids, risk, after)
        offset = 0 if query.after else query.offset
        found = list(islice(walk, offset, offset + query.limit + 1))
        more = len(found) > query.limit
        rows = [kyc_id for _, kyc_id in found[: query.limit]]
        return CasePage(rows, len(ids), found[query.limit - 1][0] if more else None)

    def in_order(self, order: str, ids: BitMap64) -> Iterator[int]:
        """Yield these cases as the queue shows them."""
        for _, kyc_id in self._in_order(order, ids, _RISKS[0], 0):
            yield kyc_id

    def _in_order(self, order: str, ids: BitMap64, risk: int, after: int) -> Iterator[tuple[str, int]]:
        """Yield (cursor, id) from behind a place on; by risk, from that place among the cases of that risk."""
        if order == "age":
            for place in self._walk(ids, after):
                yield f"{place >> ID_BITS}.{place & _ID}", place & _ID
            return
        for each in _RISKS:
            if each <= risk:
                of_risk = ids & self._any([_RISK_KEYS[each]])
                for place in self._walk(of_risk, after if each == risk else 0) if of_risk else ():
                    yield f"{int(each)}.{place >> ID_BITS}.{place & _ID}", place & _ID

    def ages(self, wanted: CaseFilter, now: int, bands: Sequence[int]) -> CaseAges:
        """Tell how long the cases a filter asks for have waited; of most pieces only the size is looked at."""
        ids = self.matching(wanted, now)
        ends = list(accumulate(map(ids.intersection_cardinality, self._pieces)))
        total = ends[-1] if ends else 0
        if not total:
            return CaseAges(0, 0, 0, 0, [0] * len(bands))

        def age(rank: int) -> int:
            """Return the age of the case that so many are as young as, or younger than."""
            place = total - rank
            at = bisect_right(ends, place)
            return now - (self._sorted(ids & self._pieces[at])[place - (ends[at - 1] if at else 0)] >> ID_BITS)

        def within(seconds: int) -> int:
            """Count the cases that are no older."""
            place = now - seconds << ID_BITS
            at = self._piece_of(place)
            older = bisect_left(self._sorted(ids & self._pieces[at]), place)
            return total - older - (ends[at - 1] if at else 0)

        return CaseAges(total, age(total), age(-(-total // 2)), age(-(-total * 9 // 10)), list(map(within, bands)))


def _cut(places: list[int], at: int) -> tuple[list[int], list[int]]:
    return places[:at], places[at:]


def _keys(found: Facets) -> set[Key]:
    return {*found.steps, found.brand, found.level, _RISK_KEYS[found.risk_level]}


def _cursor(order: str, after: str) -> tuple[int, int]:
    """Return the risk and the place a page ended with; raises INVALID_DATA."""
    parts = after.split(".")
    risks = 0 if order == "age" else 1
    if len(parts) != 2 + risks or not all(part.isascii() and part.isdigit() for part in parts):
        raise invalid("after", "is not a cursor of this list and order")
    *risk, since, kyc_id = map(int, parts)
    return (risk[0] if risk else _RISKS[0]), since << ID_BITS | kyc_id & _ID
