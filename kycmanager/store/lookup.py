"""The index of answers in memory: which profiles gave a value, by its keyed hash; and what a batch changes of it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from pyroaring import BitMap64

from kycmanager import log
from kycmanager.desk_ports import LookupChange
from kycmanager.domain.lookup import VERSION, WHOLE, LookupMark, digest, digests, findable, parts, words_for
from kycmanager.domain.records import Step
from kycmanager.key_ports import Vault
from kycmanager.store.finder import as_set

logger = log.get_logger("lookup")


class Lookup:
    """The committed index. A step costs some 250 bytes where one of its values is nobody else's, about 80 if not.

    `brands` names all there are, `profiles` gives the ids of all.
    """

    def __init__(
        self,
        vault: Vault | None,
        brands: Mapping[str, Any],
        steps: Mapping[int, Step],
        steps_of: Callable[[int], Sequence[Step]],
        profiles: Callable[[], BitMap64],
    ) -> None:
        self.vault = vault
        self.fields: tuple[str, ...] = ()
        self.mark: LookupMark | None = None
        self.steps = steps
        self.secret = b""
        """What is hashed with; empty where the index is not what the settings want: then rows only go."""
        self._brands = brands
        self._steps_of = steps_of
        self._profiles = profiles
        self._held: dict[int, bytes] = {}
        self._found: dict[bytes, int | BitMap64] = {}

    def load(self, rows: Iterable[tuple[int, bytes]], mark: LookupMark | None) -> None:
        """Fill the empty index; one of other fields, or whose key is gone, finds nothing and is made anew."""
        self.mark = mark
        if mark is not None and self.fields and (mark.version, mark.fields) == (VERSION, tuple(sorted(self.fields))):
            self.secret = self._secret(mark.key)
        self._held.update(rows)
        if self.secret:
            for step_id, joined in self._held.items():
                self._add(step_id, joined)

    def _secret(self, key_id: bytes) -> bytes:
        return self.vault.lookup_secret(key_id) if self.vault is not None else b""

    # -- reads

    @property
    def live(self) -> bool:
        """Whether a batch may have to change it; without fields, which is usual, none has."""
        return bool(self.secret or self._held)

    @property
    def partial(self) -> bool:
        """Whether it is still being made."""
        return not self.secret or self.mark is None or self.mark.cursor != WHOLE

    @property
    def due(self) -> Literal["", "begin", "next", "drop"]:
        """What is to be done to have it as the settings want it."""
        if not self.fields:
            return "drop" if self.mark is not None or self._held else ""
        if not self.secret:
            return "begin"
        return "next" if self.partial else ""

    def progress(self) -> tuple[int, int]:
        """Return how many profiles it knows, and how many there are."""
        ids = self._profiles()
        if self.mark is None or not self.secret:
            return 0, len(ids)
        return len(ids) if self.mark.cursor == WHOLE else ids.rank(self.mark.cursor), len(ids)

    def find(self, brands: Iterable[str] | None, field: str, value: str) -> BitMap64:
        """Return the ids of the profiles that gave a value, of all brands for None; not to be changed."""
        if not self.secret:
            return BitMap64()
        words, among = words_for(value), self._brands if brands is None else brands
        asked = [digest(self.secret, brand, field, word) for brand in among for word in words]
        found = [as_set(held) for each in asked if (held := self._found.get(each)) is not None]
        return found[0] if len(found) == 1 else BitMap64.union(*found) if found else BitMap64()

    def held(self, step_id: int) -> bytes:
        """Return the hashes of a step, none as b""."""
        return self._held.get(step_id, b"")

    def following(self, cursor: int, limit: int) -> list[int]:
        """Return the ids of the profiles after a cursor."""
        ids = self._profiles()
        first = ids.rank(cursor)
        return list(ids[first : first + limit])

    def hashes(self, step: Step) -> bytes:
        """Return the hashes of the answers of a step."""
        answers = step.answers
        if isinstance(answers, bytes):
            assert self.vault is not None
            try:
                answers = self.vault.open(step.kyc_id, step.id, answers)
            except Exception:  # one that is damaged keeps nobody from finding the others
                logger.exception("answers cannot be opened; they are not found by search", step=step.id)
                return b""
        return digests(self.secret, step.brand, self.fields, answers)

    # -- changes, after a commit only

    def begin(self, mark: LookupMark | None) -> None:
        """Forget everything; go on with this mark, or with no index."""
        self.mark, self.secret = mark, b"" if mark is None else self._secret(mark.key)
        self._held.clear()
        self._found.clear()

    def put(self, step_id: int, joined: bytes) -> None:
        """Keep the hashes of a step in place of those before."""
        self.remove(step_id)
        self._held[step_id] = joined
        self._add(step_id, joined)

    def _add(self, step_id: int, joined: bytes) -> None:
        kyc_id, found = self.steps[step_id].kyc_id, self._found
        for each in parts(joined):
            held = found.setdefault(each, kyc_id)
            if held is kyc_id:
                continue
            if isinstance(held, BitMap64):
                held.add(kyc_id)
            elif held != kyc_id:
                found[each] = BitMap64((held, kyc_id))

    def remove(self, step_id: int) -> None:
        """Let the hashes of a step go; what another step of the profile has said too stays found."""
        joined = self._held.pop(step_id, b"")
        if not joined or not self.secret:
            return
        kyc_id = self.steps[step_id].kyc_id
        others = {each for step in self._steps_of(kyc_id) for each in parts(self.held(step.id))}
        for each in parts(joined):
            if each not in others:
                self._forget(each, kyc_id)

    def _forget(self, each: bytes, kyc_id: int) -> None:
        held = self._found[each]
        if isinstance(held, BitMap64):
            held.discard(kyc_id)
            if held:
                return
        del self._found[each]


class LookupOverlay:
    """What a batch changes, over the committed index. Answers `LookupChanges`; `set_` can be undone."""

    def __init__(self, held: Lookup, set_: Callable[[dict[Any, Any], Any, Any], None]) -> None:
        self._held = held
        self._set = set_
        self._anew: dict[str, LookupMark | None] = {}
        self._next: dict[str, list[int]] = {}
        self._change: LookupChange | None = None

    def begin(self, key: bytes) -> None:
        """Make the index anew, empty, of hashes by this key."""
        self._set(self._anew, "mark", LookupMark(VERSION, key, tuple(sorted(self._held.fields)), 0))

    def drop(self) -> None:
        """Remove the index."""
        self._set(self._anew, "mark", None)

    def go_on(self, limit: int) -> None:
        """Index the next profiles, where it is not whole."""
        if self._held.due == "next" and self._held.mark is not None:
            self._set(self._next, "ids", self._held.following(self._held.mark.cursor, limit))

    @property
    def planned(self) -> bool:
        """Whether a command of the batch has asked for something: that has no audit row."""
        return bool(self._anew or self._next)

    def change(
        self, touched: Iterable[int], changed: Mapping[int, Step], steps_of: Callable[[int], Sequence[Step]]
    ) -> LookupChange | None:
        """Return what the batch writes: `touched` are the profiles with changed steps, which are as `steps_of` says."""
        ids = self._next.get("ids", ())
        if self._anew:
            self._change = LookupChange([], [], anew=True, mark=self._anew["mark"])
            return self._change
        change = LookupChange([], [])
        for kyc_id in {*touched, *ids}:
            self._follow(change, steps_of(kyc_id), None if kyc_id in ids else changed)
        if self._next and self._held.mark is not None:
            before = self._held.mark
            cursor = ids[-1] if ids else WHOLE
            change.mark = LookupMark(before.version, before.key, before.fields, cursor)
        self._change = change if change.put or change.removed or change.mark else None
        return self._change

    def _follow(self, change: LookupChange, steps: Sequence[Step], changed: Mapping[int, Step] | None) -> None:
        """Compare the hashes of the steps of a profile with what they are now; `changed` None looks at all of them."""
        held = self._held
        found: Collection[int] = findable(steps) if held.secret else ()
        for step in steps:
            before = now = held.held(step.id)
            if step.id not in found:
                now = b""
            elif changed is None or step.id in changed:
                old = held.steps.get(step.id)
                if not before or old is None or old.answers != step.answers:
                    now = held.hashes(step)
            if now and now != before:
                change.put.append((step.id, now))
            elif before and not now:
                change.removed.append(step.id)

    def publish(self) -> None:
        """Bring the committed changes into memory."""
        held, change = self._held, self._change
        if change is None:
            return
        if change.anew:
            held.begin(change.mark)
            return
        for step_id in change.removed:
            held.remove(step_id)
        for step_id, joined in change.put:
            held.put(step_id, joined)
        held.mark = change.mark or held.mark
