"""One call to the outside: bounded in time and in what is read of the answer, without redirects, cookies or proxies."""

import ssl
from collections.abc import Mapping

import aiohttp
from msgspec import Struct

from kycmanager.outbound.addresses import AddressRefused, CheckedResolver, check_url

ANSWER_BYTES_MAX = 65_536


class Answer(Struct, frozen=True):
    """What came back: the status, and the body up to the bound; `cut` tells that there was more."""

    status: int
    body: bytes
    cut: bool


class CallFailed(Exception):  # noqa: N818 - an outcome is named for what happened
    """A call without an answer; the text is one word of ours, never one of the other side."""


class Caller:
    """Calls what others name; every connection is made anew, to an address that was checked. Close it.

    `allow_private` opens http and private addresses: for tests, and for a CRM in the same network. `tls` replaces the
    usual trust in the authorities of the system.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        seconds: float = 10,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        connections_max: int = 100,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allow_private = allow_private
        self._answer_bytes_max = answer_bytes_max
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._limit = connections_max
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Call a URL and read its answer; raises AddressRefused or CallFailed.

        No connection is used twice: one that the other side is just closing would leave open whether a call arrived.
        """
        check_url(url, allow_private=self.allow_private)
        try:
            async with self._opened().request(
                method, url, data=body, headers=headers, allow_redirects=False, timeout=self._timeout
            ) as answer:
                return await self._read(answer)
        except AddressRefused:
            raise
        except TimeoutError:
            raise CallFailed("timeout") from None
        except aiohttp.ClientConnectorCertificateError:
            raise CallFailed("certificate") from None
        except aiohttp.ClientSSLError:
            raise CallFailed("tls") from None
        except aiohttp.ClientConnectorError:
            raise CallFailed("unreachable") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise CallFailed("broken") from None

    async def _read(self, answer: aiohttp.ClientResponse) -> Answer:
        """Read the body as far as it comes: with its status an answer is there, whatever becomes of the rest."""
        kept, left, cut = [], self._answer_bytes_max, False
        try:
            async for part in answer.content.iter_any():
                kept.append(part[:left])
                cut = len(part) > left
                if cut:
                    break
                left -= len(part)
        except (TimeoutError, aiohttp.ClientError, OSError):
            cut = True
        if cut:
            answer.close()
        return Answer(answer.status, b"".join(kept), cut)

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made at its first use: it belongs to the loop that runs then."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=CheckedResolver(allow_private=self.allow_private),
                    use_dns_cache=False,
                    force_close=True,
                    limit=self._limit,
                    ssl=self._tls or True,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                max_line_size=8190,
                max_field_size=8190,
            )
        return self._session

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None
