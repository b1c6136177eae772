"""Requests under the token a connection sent before are read without it, and have the rights of that token only."""

import pytest

from kycmanager.domain.enums import SessionType
from kycmanager.transports.control import run_local
from kycmanager.transports.known import KnownLines

RISK = {"customer_id": 42, "brand": "acme", "risk_level": 2}


@pytest.fixture
def known(monkeypatch):
    """Whether each line that was looked at was read without its token."""
    uses = []
    read = KnownLines.read

    def counted(self, chunk):
        found = read(self, chunk)
        uses.append(found is not None)
        return found

    monkeypatch.setattr(KnownLines, "read", counted)
    return uses


@pytest.fixture
async def warm(client, known):
    """A client whose connection knows its token."""
    await client.good("Ping")
    await client.good("MngSetKycRisk", RISK)
    assert known == [True]
    return client


async def test_the_same_bytes_either_way(warm, known):
    for command, data in (
        ("MngGetKycStep", {"id": 99}),
        ("No", {}),
        ("MngSetKycRisk", {"brand": "acme"}),
    ):
        warm.send(warm.line(command, data, extID="a'b"))
        await warm.message()
        warm.send(b" " + warm.line(command, data, extID="a'b"))
        await warm.message()
        assert warm.raw[-1] == warm.raw[-2]
    assert known[1:] == [True, False] * 3


async def test_another_token_on_the_same_connection(daemon, warm):
    others = daemon.token(SessionType.MANAGER, 8, ["other"])
    customers = daemon.token(SessionType.CUSTOMER, 42, ["acme"])
    for _ in range(3):
        assert (await warm.ask("MngGetKycProfile", {"customer_id": 42, "brand": "acme"}, __token=others))[
            "status"
        ] == 404
        assert (await warm.ask("MngSetKycRisk", RISK, __token=customers))["status"] == 403
        assert (await warm.ask("MngSetKycRisk", RISK))["status"] == 200


async def test_a_token_that_ends(daemon, warm, known):
    data = {"session": 1, "sub": 7, "not_before": daemon.clock() + 1}
    await run_local(daemon.app.core.executor, "SysRevokeSubject", data)
    assert (await warm.ask("MngSetKycRisk", RISK))["status"] == 401
    daemon.clock.ahead = 4000
    assert (await warm.ask("MngSetKycRisk", RISK))["status"] == 401
    assert known == [True] * 3


async def test_half_a_line_waits_for_its_end(warm, known):
    line = warm.line("MngSetKycRisk", RISK)
    warm.send(line[:-1])
    warm.send(line[-1:] + line)
    assert [reply["status"] for reply in await warm.messages(2)] == [200, 200]
    assert True not in known[1:]
    assert (await warm.ask("MngSetKycRisk", RISK))["status"] == 200
    assert known[-1]
