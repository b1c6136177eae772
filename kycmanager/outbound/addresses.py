"""Which addresses the daemon may call: URLs that others name, resolved by us, and public unless that is allowed.

Whoever may name a URL could otherwise have the daemon call what only the daemon can reach. So a name is resolved here,
every address it has must be public, and the connection goes to those very addresses: the DNS is not asked again.
Redirects are not followed, see `calls`.
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct

URL_CHARACTERS_MAX = 2048
RESOLVE_SECONDS = 5

_SCHEMES = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
"""Names and addresses that every reader of URLs takes for the same: nothing escaped, nothing outside of ASCII."""
_WITHIN_V6 = tuple(
    ip_network(each)
    for each in (
        "64:ff9b::/96",  # NAT64: the last 32 bits are an IPv4 address
        "64:ff9b:1::/48",
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "fec0::/10",  # site-local, as it was
        "::/96",  # IPv4-compatible, as it was
    )
)
"""IPv6 networks that lead to IPv4 addresses, or nowhere: none is called."""
_NEVER_V4 = tuple(ip_network(each) for each in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
"""Carrier-grade NAT, protocol assignments, 6to4 relays and a metadata address: not every Python calls them private."""


class AddressRefused(Exception):  # noqa: N818 - an outcome is named for what happened
    """A URL that must not, or cannot, be called; the text says why and names no address."""


class Target(Struct, frozen=True):
    """A URL that may be called: `authority` is its host, with the port where the URL names one."""

    url: str
    host: str
    port: int
    authority: str


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet; a text that is none is not."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return False
        return _is_open(found) and not any(found in each for each in _WITHIN_V6 if isinstance(each, IPv6Network))
    return _is_open(found) and not any(found in each for each in _NEVER_V4)


def _is_open(found: IPv4Address | IPv6Address) -> bool:
    closed = found.is_private or found.is_loopback or found.is_link_local or found.is_reserved
    return found.is_global and not (closed or found.is_multicast or found.is_unspecified)


def check_url(url: str, *, allow_private: bool = False) -> Target:
    """Return what a URL leads to, or raise AddressRefused; nothing is resolved yet.

    https only, unless private addresses are allowed: then http too. No user, no password, no fragment.
    """
    if len(url) > URL_CHARACTERS_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused(f"the URL must be at most {URL_CHARACTERS_MAX} printable ASCII characters without spaces")
    try:
        parts = urlsplit(url)
        host, named_port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("the URL cannot be read; write it like https://example.com/path") from None
    if parts.scheme not in _SCHEMES or (parts.scheme == "http" and not allow_private):
        raise AddressRefused("the URL must begin with https://")
    if not host or not _HOST.fullmatch(host) or named_port == 0:
        raise AddressRefused("the URL names no host; write it like https://example.com/path")
    if "@" in parts.netloc or "#" in url:
        raise AddressRefused("the URL must not hold a user, a password or a fragment")
    if not allow_private and (_is_number(host) and not is_public(host)):
        raise AddressRefused("the URL leads to a private address")
    shown = f"[{host}]" if ":" in host else host
    authority = shown if named_port is None else f"{shown}:{named_port}"
    return Target(url, host, named_port or _SCHEMES[parts.scheme], authority)


def _is_number(host: str) -> bool:
    """Tell whether a host is an address already, in any spelling a resolver takes for one: 127.1 or 0x7f000001 too."""
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


async def resolve(host: str, port: int, *, allow_private: bool = False) -> Sequence[str]:
    """Return all the addresses of a host, or raise AddressRefused: one that is not public refuses them all."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise AddressRefused("the host has no address; check its name") from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not allow_private and not all(map(is_public, addresses)):
        raise AddressRefused("the host leads to a private address")
    return addresses


class CheckedResolver(AbstractResolver):
    """The resolver of every connection out: what it returns is what is connected to. Raises AddressRefused."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host that may be called."""
        found = await resolve(host, port, allow_private=self._allow_private)
        flags = int(socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=version, proto=0, flags=flags)
            for address in found
            for version in [socket.AF_INET6 if ":" in address else socket.AF_INET]
            if family in {socket.AF_UNSPEC, version}
        ]

    async def close(self) -> None:
        """Hold nothing."""
