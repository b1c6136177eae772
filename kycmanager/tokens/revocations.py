"""Tokens refused before their time: the committed revocations as the verifier looks them up."""

from collections.abc import Iterable

from kycmanager.domain.passes import MARK
from kycmanager.domain.records import Revocation


class Revocations:
    """What is revoked, in memory: filled from the base at start, then by every committed revocation.

    `epoch` rises with every change that can concern a token; whoever remembers a verified token compares it. The passes
    of customers, which are never tokens, are used up all day long.
    """

    __slots__ = ("_not_before", "_tokens", "epoch")

    def __init__(self, revocations: Iterable[Revocation] = ()) -> None:
        self.epoch = 0
        self._tokens: dict[str, int] = {}
        self._not_before: dict[tuple[int, int], int] = {}
        for revocation in revocations:
            self.add(revocation)

    def add(self, revocation: Revocation) -> None:
        """Take in one committed revocation: of one token when it has a jti, else of a subject."""
        if revocation.jti:
            self._tokens[revocation.jti] = revocation.expires
        else:
            subject = (revocation.session, revocation.sub)
            self._not_before[subject] = max(revocation.not_before, self._not_before.get(subject, 0))
        if not revocation.jti.startswith(MARK):
            self.epoch += 1

    def covers(self, *, jti: str, session: int, sub: int, issued: int) -> bool:
        """Tell whether such a token is revoked; `issued` in Unix seconds, 0 when the token does not say."""
        return jti in self._tokens or issued < self._not_before.get((session, sub), 0)

    def names(self, jti: str) -> bool:
        """Tell whether one token or pass is revoked by itself."""
        return jti in self._tokens

    def forget(self, now: int) -> None:
        """Drop single tokens that have expired by themselves; `expires` 0 is kept for ever."""
        gone = [jti for jti, expires in self._tokens.items() if 0 < expires <= now]
        for jti in gone:
            del self._tokens[jti]

    def __len__(self) -> int:
        return len(self._tokens) + len(self._not_before)
