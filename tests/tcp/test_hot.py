"""The shortcut for profile reads answers exactly what the long way answers, and checks what it checks."""

import json

import pytest

from kycmanager.domain.enums import SessionType
from kycmanager.transports import hot as hot_module
from kycmanager.transports.envelope import HOT_COMMAND


def connection(daemon):
    (found,) = daemon.app.tcp._door.connections
    return found


@pytest.fixture
async def warm(daemon, client):
    """A client whose connection answers reads of one profile by the shortcut."""
    kyc_id, _ = await daemon.profile(client, steps=2, name="l'été")
    await client.good(HOT_COMMAND, {"id": kyc_id})
    assert connection(daemon)._fast is not None
    client.kyc_id = kyc_id
    return client


@pytest.fixture
def answered(monkeypatch):
    """The number of replies each use of the shortcut gave, None where it gave way."""
    uses = []
    answer = hot_module.HotProfiles.answer

    def counted(self, chunk):
        result = answer(self, chunk)
        uses.append(result and result[0])
        return result

    monkeypatch.setattr(hot_module.HotProfiles, "answer", counted)
    return uses


async def test_shortcut_and_long_way_give_the_same_bytes(warm, answered):
    read = {"id": warm.kyc_id}
    for ext in ("a", "", "a.b:c-d_e" * 7):
        warm.send(warm.line(HOT_COMMAND, read, extID=ext))
        await warm.message()
        spaced = json.dumps({"command": HOT_COMMAND, "data": read, "extID": ext, "__token": warm.token})
        warm.send(spaced.encode() + b"\r\n")
        await warm.message()
        assert warm.raw[-1] == warm.raw[-2]
    assert answered == [1, None] * 3


async def test_many_in_one_chunk(warm, answered):
    warm.send(b"".join(warm.line(HOT_COMMAND, {"id": warm.kyc_id}, extID=str(number)) for number in range(50)))
    replies = await warm.messages(50)
    assert [reply["extID"] for reply in replies] == [str(number) for number in range(50)]
    assert sum(filter(None, answered)) == 50


async def test_other_requests_between(warm, answered):
    lines = [warm.line(HOT_COMMAND, {"id": warm.kyc_id}), warm.line("Ping"), warm.line(HOT_COMMAND, {"id": 999})]
    warm.send(b"".join(lines))
    assert [reply["status"] for reply in await warm.messages(3)] == [200, 200, 404]
    assert answered == [None]


async def test_half_a_line_goes_the_long_way(warm, answered):
    line = warm.line(HOT_COMMAND, {"id": warm.kyc_id})
    warm.send(line + line[:20])
    await warm.message()
    warm.send(line[20:] + line)
    assert [reply["status"] for reply in await warm.messages(2)] == [200, 200]
    warm.send(line)
    await warm.message()
    assert answered[-1] == 1


async def test_change_is_seen_at_once(warm):
    await warm.good("MngSetKycRisk", {"customer_id": 42, "brand": "acme", "risk_level": 2})
    for _ in range(2):
        assert (await warm.good(HOT_COMMAND, {"id": warm.kyc_id}))["profile"]["risk_level"] == 2


async def test_expired_token(daemon, warm):
    daemon.clock.ahead = 4000
    reply = await warm.ask(HOT_COMMAND, {"id": warm.kyc_id})
    assert (reply["status"], reply["error"]) == (401, "PERMISSION_DENIED")


async def test_revoked_token(daemon, warm):
    from kycmanager.transports.control import run_local

    data = {"session": 1, "sub": 7, "not_before": daemon.clock() + 1}
    await run_local(daemon.app.core.executor, "SysRevokeSubject", data)
    reply = await warm.ask(HOT_COMMAND, {"id": warm.kyc_id})
    assert (reply["status"], reply["error"]) == (401, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("session", "brands", "status"),
    [
        (SessionType.MANAGER, ["other"], 404),
        (SessionType.MANAGER, [], 404),
        (SessionType.MANAGER, None, 200),
        (SessionType.CUSTOMER, ["acme"], 403),
        (SessionType.SYSTEM, None, 403),
    ],
)
async def test_other_token_on_the_same_connection(daemon, warm, session, brands, status):
    token = daemon.token(session, 42, brands)
    for _ in range(3):
        assert (await warm.ask(HOT_COMMAND, {"id": warm.kyc_id}, __token=token))["status"] == status
        assert (await warm.ask(HOT_COMMAND, {"id": warm.kyc_id}))["status"] == 200


async def test_brand_out_of_reach_is_a_missing_profile(daemon, warm):
    # its own connection is warm under a token that reaches another brand only
    other = await daemon.connect(daemon.token(brands=["other"]))
    await daemon.profile(other, customer=1, brand="other")
    own = await other.good(HOT_COMMAND, {"customer_id": 1, "brand": "other"})
    await other.good(HOT_COMMAND, {"id": own["profile"]["id"]})
    replies = [await other.ask(HOT_COMMAND, {"id": number}, extID="e") for number in (warm.kyc_id, 999)]
    assert replies[0] == replies[1]
    assert replies[0]["status"] == 404


async def test_large_answers_go_the_long_way(warm, answered, monkeypatch):
    monkeypatch.setattr(hot_module, "ANSWER_BYTES_MAX", 10)
    assert (await warm.ask(HOT_COMMAND, {"id": warm.kyc_id}))["status"] == 200
    assert answered == [None]


async def test_reads_are_counted(daemon, warm):
    await warm.good(HOT_COMMAND, {"id": warm.kyc_id})
    text = daemon.app.metrics.render().decode()
    (count,) = [
        line
        for line in text.splitlines()
        if line.startswith('kycmanager_command_seconds_count{command="MngGetKycProfile"')
    ]
    assert float(count.split()[-1]) == len([line for line in warm.raw if b'"profile"' in line])


async def test_token_that_cannot_be_recognised(daemon):
    assert daemon.app.tcp._door.hot("a b") is None
