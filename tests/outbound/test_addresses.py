import socket

import pytest

from kycmanager.outbound import addresses
from kycmanager.outbound.addresses import AddressRefused, CheckedResolver, check_url, is_public, resolve

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "nothing",
    "",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_open_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111"])
def test_what_is(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "host", "port", "authority"),
    [
        ("https://wallet.example.com/kyc", "wallet.example.com", 443, "wallet.example.com"),
        ("https://Wallet.Example.com:443/kyc?a=1", "wallet.example.com", 443, "wallet.example.com:443"),
        ("https://wallet.example.com:8443", "wallet.example.com", 8443, "wallet.example.com:8443"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "8.8.8.8"),
        ("https://[2606:4700::1111]:8443/", "2606:4700::1111", 8443, "[2606:4700::1111]:8443"),
    ],
)
def test_urls_that_may_be_called(url, host, port, authority):
    found = check_url(url)
    assert (found.url, found.host, found.port, found.authority) == (url, host, port, authority)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "https://"),
        ("wallet.example.com", "https://"),
        ("http://wallet.example.com/", "https://"),
        ("ftp://wallet.example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://wallet.example.com:0/", "no host"),
        ("https://%31%32%37.0.0.1/", "no host"),
        ("https://wallet.example.com:70000/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://me@wallet.example.com/", "a user"),
        ("https://me:word@wallet.example.com/", "a user"),
        ("https://wallet.example.com/#part", "fragment"),
        ("https://8.8.8.8#@127.0.0.1/", "fragment"),
        ("https://wallet.example.com\\@127.0.0.1/", "printable"),
        ("https://wallet.example.com/a b", "printable"),
        ("https://wallet.example.com/\r\nHost: other", "printable"),
        ("https://w\u0430llet.example.com/", "printable"),
        ("https://wallet.example.com/" + "a" * 2048, "printable"),
        *[
            (f"https://{host}/", "private address")
            for host in ("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:10.0.0.1]")
        ],
    ],
)
def test_urls_that_must_not(url, reason):
    with pytest.raises(AddressRefused, match=reason):
        check_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/hook", "https://10.0.0.1/", "http://crm.internal/hook"])
def test_private_ones_are_taken_where_that_is_allowed(url):
    assert check_url(url, allow_private=True).url == url


async def test_a_name_that_leads_inside_is_refused_wherever_else_it_leads(monkeypatch):
    answers = {
        "good.example": ["93.184.215.14", "2606:4700::1111"],
        "mixed.example": ["93.184.215.14", "10.0.0.7"],
        "mapped.example": ["::ffff:10.0.0.7"],
    }

    def look_up(host, port, *_more, **_options):
        if host not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in answers[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert await resolve("good.example", 443) == answers["good.example"]
    for host in ("mixed.example", "mapped.example"):
        with pytest.raises(AddressRefused, match="private"):
            await resolve(host, 443)
        assert await resolve(host, 443, allow_private=True) == answers[host]
    with pytest.raises(AddressRefused, match="no address"):
        await resolve("unknown.example", 443)

    resolver = CheckedResolver()
    found = await resolver.resolve("good.example", 443)
    assert [(each["host"], each["port"], each["family"]) for each in found] == [
        ("93.184.215.14", 443, socket.AF_INET),
        ("2606:4700::1111", 443, socket.AF_INET6),
    ]
    only = await resolver.resolve("good.example", 443, socket.AF_INET6)
    assert [each["host"] for each in only] == ["2606:4700::1111"]
    await resolver.close()


async def test_a_resolver_that_is_silent_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", 0)
    with pytest.raises(AddressRefused, match="no address"):
        await resolve("localhost", 443)
