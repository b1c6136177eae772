"""Answers whole chunks of the hottest read from prepared bytes, without decoding a request."""

from collections.abc import Callable, Mapping

from kycmanager.domain.errors import KycError
from kycmanager.domain.session import Session
from kycmanager.transports.envelope import HotReads
from kycmanager.transports.json_wire import REPLY_DATA, REPLY_END, REPLY_EXT

ANSWER_BYTES_MAX = 256 * 1024
"""A chunk whose answer is larger goes the slow way, which stops while the client does not read."""

_NEXT = REPLY_END + REPLY_EXT


class HotProfiles:
    """Profile reads of one connection under one token that was verified and may read profiles.

    The token is asked again for every chunk: it expires and is revoked like on the slow way.
    """

    __slots__ = ("_authenticate", "_match", "_table", "token")

    def __init__(
        self,
        token: str,
        authenticate: Callable[[str], Session],
        table: Mapping[int, tuple[str, bytes]],
    ) -> None:
        """Make the answerer for a token; `table` is live, id -> (brand, reply data). ValueError for an odd token."""
        self.token = token
        self._match = HotReads(token).match
        self._authenticate = authenticate
        self._table = table

    def answer(self, chunk: bytes) -> tuple[int, bytes] | None:
        """Return (number of replies, their bytes); None when anything about the chunk needs the slow way."""
        reads = self._match(chunk)
        if not reads:
            return None
        try:
            session = self._authenticate(self.token)
        except KycError:
            return None
        table, sees, size = self._table, session.sees, 0
        parts: list[bytes] = []
        for profile_id, ext, _ in reads:
            kept = table.get(int(profile_id))
            if kept is None or not sees(kept[0]):
                return None
            data = kept[1]
            size += len(data)
            parts += (_NEXT, ext, REPLY_DATA, data)
        if size > ANSWER_BYTES_MAX:
            return None
        parts[0] = REPLY_EXT
        parts.append(REPLY_END)
        return len(reads), b"".join(parts)
