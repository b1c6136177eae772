"""The line of a client that is known: JSON under the token its connection sent before, read without that token.

A token is most of a small request. What ends with the very bytes of a token that was verified needs neither to be cut
into frames nor to have the token read again; the rest is decoded as every line is (`json_strict.decode_canonical`).
Whatever is not understood to the last byte is left to the framer and the strict decoder, which read the same in it.
"""

import re
from functools import lru_cache

from kycmanager.transports.envelope import Envelope
from kycmanager.transports.json_strict import decode_canonical
from kycmanager.transports.json_wire import encode

_PLAIN = re.compile(r"[A-Za-z0-9_.\-]{1,4096}")
"""What needs no escape: as JSON such a token is the token between quotation marks."""

_KEY = "__token"


class KnownLines:
    """Reads lines that end with one token."""

    __slots__ = ("_tail", "token")

    def __init__(self, token: str) -> None:
        self.token = token
        self._tail = b',"%b":"%b"}\r\n' % (_KEY.encode(), token.encode())

    def read(self, chunk: bytes) -> Envelope | None:
        """Return the request when the chunk, which begins where a line begins, is one line that ends with the token.

        None is not a refusal: somebody else has to look.
        """
        tail = self._tail
        if not chunk.endswith(tail) or chunk.find(b"\n") + 1 != len(chunk):
            return None
        value = decode_canonical(chunk[: -len(tail)] + b"}")
        # A second token would make it another text than the one that was decoded, and so would an empty object.
        if value is None or _KEY in value:
            return None
        command, data, ext = value.get("command"), value.get("data"), value.get("extID")
        if type(command) is not str or type(data) is not dict or type(ext) is not str:
            return None
        plain = ext.isalnum() and ext.isascii()
        return Envelope(command, data, b'"%b"' % ext.encode() if plain else encode(ext), self.token)


@lru_cache(maxsize=256)
def lines_under(token: str) -> KnownLines | None:
    """Return the reader of a token's lines, the same for all its connections; None for a token of odd characters."""
    return KnownLines(token) if _PLAIN.fullmatch(token) else None
