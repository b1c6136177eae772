"""The reviewers' desk in memory: queue, claims, notes and filters, and what a batch changes of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace
from pyroaring import BitMap64

from kycmanager.desk_ports import CaseQuery, ProfilePage, SearchQuery
from kycmanager.domain.reasons import Reasons
from kycmanager.domain.records import Claim, Note, Profile, SavedFilter, Step
from kycmanager.key_ports import Vault, place_of
from kycmanager.store.claims import Claims
from kycmanager.store.finder import Finder
from kycmanager.store.indexes import ids_page
from kycmanager.store.lookup import Lookup
from kycmanager.store.waiting import Waiting

FilterKey = tuple[int, int, str]
"""(session, sub, name)."""


class Desk:
    """The committed desk. Answers `DeskReader`; what it is given are the tables and look-ups of the cache."""

    def __init__(
        self,
        vault: Vault | None,
        profiles: dict[int, Profile],
        steps_of: dict[int, tuple[Step, ...]],
        of_brands: Callable[[frozenset[str] | None], BitMap64],
        of_customer: Callable[[int], Iterable[Profile]],
        lookup: Lookup,
    ) -> None:
        self.vault = vault
        self.lookup = lookup
        self.reasons = Reasons()
        self.claims = Claims()
        self.waiting = Waiting(self.claims, profiles, steps_of)
        self.finder = Finder()
        self._profiles = profiles
        self._of_brands = of_brands
        self._of_customer = of_customer
        self._notes: dict[int, Note] = {}
        self._notes_of: dict[int, tuple[Note, ...]] = {}
        self._filters: dict[tuple[int, int], dict[str, SavedFilter]] = {}

    def load(self, claims: Iterable[Claim], notes: Iterable[Note], filters: Iterable[SavedFilter]) -> None:
        """Fill the empty desk but for its indexes."""
        for claim in claims:
            self.claims.put(claim)
        for note in notes:
            self.put_note(note)
        for saved in filters:
            self.put_filter(saved)

    # -- reads

    def claim(self, kyc_id: int) -> Claim | None:
        """Return the claim on a case, one whose lease is over too."""
        return self.claims.table.get(kyc_id)

    def note(self, note_id: int) -> Note | None:
        """Return a note, or None."""
        return self._notes.get(note_id)

    def notes_of(self, kyc_id: int) -> Sequence[Note]:
        """Return the notes on a case, ids ascending."""
        return self._notes_of.get(kyc_id, ())

    def notes_in_clear(self) -> list[int]:
        """Return the notes that are not sealed."""
        return [note.id for note in self._notes.values() if isinstance(note.content, dict)]

    def text_of(self, note: Note) -> str:
        """Return what a note says; nothing when its key was destroyed."""
        content = note.content
        if isinstance(content, bytes):
            assert self.vault is not None
            content = self.vault.open(note.kyc_id, place_of(note), content)
        return str(content.get("text", ""))

    def filters_of(self, session: int, sub: int) -> Sequence[SavedFilter]:
        """Return the filters a reviewer keeps, by name."""
        held = self._filters.get((session, sub), {})
        return [held[name] for name in sorted(held)]

    def queue(self, query: CaseQuery) -> ProfilePage:
        """Return a page of the cases that wait."""
        page = self.waiting.page(query)
        return ProfilePage([self._profiles[kyc_id] for kyc_id in page.ids], page.count, page.next)

    def lapsed(self, now: int, limit: int) -> Sequence[int]:
        """Return up to `limit` cases whose claim is still there though its lease is over."""
        return self.claims.lapsed(now, limit)

    def search(self, query: SearchQuery) -> ProfilePage:
        """Return a page of the profiles that fit."""
        parts = self.finder.find(checksum=query.checksum, file_name=query.file_name, document_type=query.document_type)
        if query.customer_id:
            parts.append(BitMap64([found.id for found in self._of_customer(query.customer_id)]))
        if query.field:
            parts.append(self.lookup.find(query.brands, query.field, query.value))
        if query.brands is not None or not parts:
            parts.append(self._of_brands(query.brands))
        ids = BitMap64.intersection(*sorted(parts, key=len)) if len(parts) > 1 else parts[0]
        chosen, following = ids_page(ids, limit=query.limit, offset=query.offset, after=query.after or None)
        rows = [self._profiles[kyc_id] for kyc_id in chosen]
        return ProfilePage(rows, len(ids), following, partial=bool(query.field) and self.lookup.partial)

    def sharing(self, checksum: str, kyc_id: int, brands: frozenset[str] | None, limit: int) -> ProfilePage:
        """Return the first other profiles of these brands that hold a file with the checksum."""
        held = self.finder.sharing(checksum)
        if not held:
            return ProfilePage((), 0, None)
        found = (held if brands is None else held & self._of_brands(brands)) - BitMap64((kyc_id,))
        return ProfilePage([self._profiles[other] for other in islice(found, limit)], len(found), None)

    # -- changes, after a commit only

    def put_note(self, note: Note) -> None:
        """Keep a note, new or sealed lately."""
        held = self._notes_of.get(note.kyc_id, ())
        known = note.id in self._notes
        self._notes_of[note.kyc_id] = (
            tuple([note if each.id == note.id else each for each in held]) if known else (*held, note)
        )
        self._notes[note.id] = note

    def remove_notes(self, kyc_id: int) -> None:
        """Let the notes on a case go."""
        for note in self._notes_of.pop(kyc_id, ()):
            self._notes.pop(note.id, None)

    def put_filter(self, saved: SavedFilter) -> None:
        """Keep a filter."""
        self._filters.setdefault((saved.session, saved.sub), {})[saved.name] = saved

    def remove_filter(self, session: int, sub: int, name: str) -> None:
        """Let a filter go."""
        self._filters.get((session, sub), {}).pop(name, None)


class DeskOverlay:
    """What a batch changes, over the committed desk. Answers `DeskChanges`; `set_` can be undone."""

    def __init__(
        self, desk: Desk, set_: Callable[[dict[Any, Any], Any, Any], None], *, lease_seconds: int, seals: bool
    ) -> None:
        self.lease_seconds = lease_seconds
        self._desk = desk
        self._set = set_
        self._seals = seals
        self._claims: dict[int, Claim | None] = {}
        self._notes: dict[int, Note] = {}
        self._filters: dict[FilterKey, SavedFilter | None] = {}
        self._noteless: dict[int, bool] = {}

    @property
    def reasons(self) -> Reasons:
        """The reasons for rejections, and what customers are told."""
        return self._desk.reasons

    @property
    def lookup(self) -> Lookup:
        """The index of answers."""
        return self._desk.lookup

    def claim(self, kyc_id: int) -> Claim | None:
        """Return the claim on a case, one whose lease is over too."""
        if kyc_id in self._claims:
            return self._claims[kyc_id]
        return self._desk.claims.table.get(kyc_id)

    def claims_of(self, session: int, sub: int) -> Sequence[int]:
        """Return the cases a reviewer has claimed, those whose lease is over too."""
        found = set(self._desk.claims.of(session, sub)) - self._claims.keys()
        mine = [held for held in self._claims.values() if held is not None]
        return [*found, *[held.kyc_id for held in mine if (held.assignee_session, held.assignee) == (session, sub)]]

    def free(self, query: CaseQuery) -> Iterator[int]:
        """Yield the cases nobody holds that may fit, in order; those this batch has let go of are among them."""
        waiting = self._desk.waiting
        wanted = replace(query.filter, assignee=0)
        ids = waiting.matching(wanted, query.now)
        if self._claims:
            let_go = BitMap64([kyc_id for kyc_id, claim in self._claims.items() if claim is None])
            ids = (ids - BitMap64(self._claims)) | (let_go & waiting.matching(replace(wanted, assignee=-1), query.now))
        return waiting.in_order(query.order, ids)

    def search(self, query: SearchQuery) -> ProfilePage:
        """Return a page of the committed profiles that fit."""
        return self._desk.search(query)

    def note(self, note_id: int) -> Note | None:
        """Return a note, or None."""
        found = self._notes.get(note_id) or self._desk.note(note_id)
        return None if found is None or found.kyc_id in self._noteless else found

    def notes_of(self, kyc_id: int) -> Sequence[Note]:
        """Return the notes on a case, ids ascending."""
        if kyc_id in self._noteless:
            return []
        both = {note.id: note for note in (*self._desk.notes_of(kyc_id), *self._notes.values())}
        return [note for note in both.values() if note.kyc_id == kyc_id]

    def text_of(self, note: Note) -> str:
        """Return what a note says."""
        return self._desk.text_of(note)

    def filters_of(self, session: int, sub: int) -> Sequence[SavedFilter]:
        """Return the filters a reviewer keeps, by name."""
        held = {saved.name: saved for saved in self._desk.filters_of(session, sub)}
        for (of_session, of_sub, name), saved in self._filters.items():
            if (of_session, of_sub) == (session, sub):
                held.pop(name, None)
                if saved is not None:
                    held[name] = saved
        return [held[name] for name in sorted(held)]

    def put_claim(self, claim: Claim) -> None:
        """Keep a claim in the place of the one before."""
        self._set(self._claims, claim.kyc_id, claim)

    def remove_claim(self, kyc_id: int) -> None:
        """Let a case go."""
        self._set(self._claims, kyc_id, None)

    def put_note(self, note: Note) -> Note:
        """Keep a note, sealed where the vault seals; return it as it is kept."""
        if self._seals and isinstance(note.content, dict):
            assert self._desk.vault is not None
            note = replace(note, content=self._desk.vault.seal(note.kyc_id, place_of(note), note.content, ()))
        self._set(self._notes, note.id, note)
        return note

    def remove_notes(self, kyc_id: int) -> None:
        """Let the notes on a case go, those of this batch too: nothing is written on it any more."""
        self._set(self._noteless, kyc_id, True)

    def put_filter(self, saved: SavedFilter) -> None:
        """Keep a filter in the place of the one of its name."""
        self._set(self._filters, (saved.session, saved.sub, saved.name), saved)

    def remove_filter(self, saved: SavedFilter) -> None:
        """Let a filter go."""
        self._set(self._filters, (saved.session, saved.sub, saved.name), None)

    # -- the end of the batch

    def changes(self) -> dict[str, Any]:
        """Return the fields of the batch that write all this."""
        notes = [note for note in self._notes.values() if note.kyc_id not in self._noteless]
        return {
            "notes": [note for note in notes if self._desk.note(note.id) is None],
            "sealed_notes": [note for note in notes if self._desk.note(note.id) is not None],
            "noteless": list(self._noteless),
            "claims": [claim for claim in self._claims.values() if claim is not None],
            "released": [kyc_id for kyc_id, claim in self._claims.items() if claim is None],
            "filters": [saved for saved in self._filters.values() if saved is not None],
            "removed_filters": [key for key, saved in self._filters.items() if saved is None],
        }

    def publish(self) -> None:
        """Bring the committed changes into memory."""
        desk = self._desk
        for kyc_id, claim in self._claims.items():
            if claim is None:
                desk.claims.remove(kyc_id)
            else:
                desk.claims.put(claim)
        for note in self._notes.values():
            desk.put_note(note)
        for kyc_id in self._noteless:
            desk.remove_notes(kyc_id)
        for key, saved in self._filters.items():
            if saved is None:
                desk.remove_filter(*key)
            else:
                desk.put_filter(saved)
