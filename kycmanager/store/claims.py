"""The claims on cases in memory: who holds what now, with leases that end by themselves, without a timer for each."""

import heapq
from collections.abc import Collection

from pyroaring import BitMap64

from kycmanager.domain.case import ANY
from kycmanager.domain.records import Claim

_NONE = BitMap64()


class Claims:
    """Claims by case and by holder. Questions about now first let go of what has run out since."""

    def __init__(self) -> None:
        self.table: dict[int, Claim] = {}
        """All claims, those whose lease is over too, until they are removed."""
        self._held = BitMap64()
        self._by_assignee: dict[int, BitMap64] = {}
        self._of: dict[tuple[int, int], set[int]] = {}
        self._ends: list[tuple[int, int]] = []
        self._lapsed: set[int] = set()

    def put(self, claim: Claim) -> None:
        """Keep a claim in the place of the one before."""
        kyc_id = claim.kyc_id
        self.remove(kyc_id)
        self.table[kyc_id] = claim
        self._held.add(kyc_id)
        self._by_assignee.setdefault(claim.assignee, BitMap64()).add(kyc_id)
        self._of.setdefault((claim.assignee_session, claim.assignee), set()).add(kyc_id)
        heapq.heappush(self._ends, (claim.lease_until, kyc_id))

    def remove(self, kyc_id: int) -> None:
        """Let a case go, if it is held."""
        claim = self.table.pop(kyc_id, None)
        if claim is None:
            return
        self._let_go(claim)
        self._lapsed.discard(kyc_id)
        holder = claim.assignee_session, claim.assignee
        self._of[holder].discard(kyc_id)
        if not self._of[holder]:
            del self._of[holder]
        if len(self._ends) > 2 * len(self.table) + 64:
            # Each renewal leaves an end behind that no longer counts.
            self._ends = [(held.lease_until, held.kyc_id) for held in self.table.values()]
            heapq.heapify(self._ends)

    def _let_go(self, claim: Claim) -> None:
        self._held.discard(claim.kyc_id)
        ids = self._by_assignee.get(claim.assignee)
        if ids is not None:
            ids.discard(claim.kyc_id)
            if not ids:
                del self._by_assignee[claim.assignee]

    def _settle(self, now: int) -> None:
        ends = self._ends
        while ends and ends[0][0] <= now:
            end, kyc_id = heapq.heappop(ends)
            claim = self.table.get(kyc_id)
            if claim is not None and claim.lease_until == end:
                self._let_go(claim)
                self._lapsed.add(kyc_id)

    def held(self, now: int) -> BitMap64:
        """Return the cases somebody holds; not to be changed."""
        self._settle(now)
        return self._held

    def held_by(self, assignee: int, session: int, now: int) -> BitMap64:
        """Return the cases this sub holds, in this type of session or, with ANY, in any; not to be changed."""
        self._settle(now)
        found = self._by_assignee.get(assignee, _NONE)
        return found if session == ANY else found & BitMap64(self._of.get((session, assignee), ()))

    def of(self, session: int, sub: int) -> Collection[int]:
        """Return the cases of one holder, those whose lease is over too."""
        return self._of.get((session, sub), ())

    def lapsed(self, now: int, limit: int) -> list[int]:
        """Return up to `limit` cases whose lease is over and that nobody was told of yet."""
        self._settle(now)
        return sorted(self._lapsed)[:limit]
