"""The real process, killed: what was to be told is told, in order, and what came twice has the same id."""

import asyncio
import json
import re
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from running import Process
from sender import SECRETS

from kycmanager.__main__ import main
from kycmanager.client import verify_webhook


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    process = Process(tmp_path_factory.mktemp("killed") / "data")
    yield process
    process.kill()


@pytest.fixture
async def daemon(process, receiver):
    """The process, telling the receiver; `happens` makes events of a customer, by risk."""
    process.config.write_text(
        "[logging]\nformat = 'json'\n[webhooks]\nallow_private = true\n"
        f"endpoints = [{{ name = 'crm', url = '{receiver.url}', secrets = ['{SECRETS[0]}'], events = ['profile.*'] }}]\n"
    )
    process.kill()
    await asyncio.to_thread(process.start)
    return process


@pytest.fixture
async def boss(daemon):
    return await asyncio.to_thread(daemon.issue, "admin", 1)


async def happens(daemon, token, *customers):
    """Change the risk of each customer; return once all is on the disk."""
    async with aiohttp.ClientSession("http://{}:{}".format(*daemon.http)) as http:
        for number, customer in enumerate(customers):
            data = {"customer_id": customer, "brand": "acme", "risk_level": 1 + number % 3}
            async with http.post("/manager/kyc/risk", json=data, headers={"Authorization": token}) as answer:
                assert answer.status == 200, await answer.text()


async def deliveries(daemon, token, **query):
    async with (
        aiohttp.ClientSession("http://{}:{}".format(*daemon.http)) as http,
        http.get("/manager/kyc/deliveries", params=query, headers={"Authorization": token}) as answer,
    ):
        return (await answer.json())["rows"]


async def now(daemon, token):
    """Have tried now what would be tried in some seconds; some of it may have arrived by itself."""
    async with aiohttp.ClientSession("http://{}:{}".format(*daemon.http)) as http:
        for row in await deliveries(daemon, token, state="waiting"):
            url, headers = "/manager/kyc/deliveries/replay", {"Authorization": token}
            async with http.post(url, json={"id": row["id"]}, headers=headers) as answer:
                assert answer.status in {200, 404}


async def none_waits(daemon, token):
    """Wait until the daemon has written down that all has arrived."""
    async with asyncio.timeout(40):
        while await deliveries(daemon, token, state="waiting"):
            await asyncio.sleep(0.05)


def told(calls, customer):
    return [call.seq for call in calls if call.data["customer_id"] == customer]


async def test_a_receiver_down_for_a_while_and_a_kill(daemon, boss, receiver):
    await happens(daemon, boss, 1, 2)
    await receiver.calls_are(2)
    await none_waits(daemon, boss)
    await receiver.down()
    await happens(daemon, boss, 1, 2, 1, 2, 1)
    async with asyncio.timeout(20):
        while len([row for row in await deliveries(daemon, boss, state="waiting") if row["attempts"]]) < 2:
            await asyncio.sleep(0.05)
    daemon.kill()
    await asyncio.to_thread(daemon.start)
    await happens(daemon, boss, 2, 1)
    await receiver.up()
    await now(daemon, boss)
    calls = await receiver.calls_are(9, seconds=40)
    await none_waits(daemon, boss)
    assert len(calls) == 9
    seqs = [call.seq for call in calls]
    assert sorted(seqs) == sorted(set(seqs))
    for customer, count in ((1, 5), (2, 4)):
        assert told(calls, customer) == sorted(told(calls, customer))
        assert len(told(calls, customer)) == count
    for call in calls:
        assert verify_webhook(call.headers["X-Kyc-Signature"], call.body, SECRETS[0])
    for secret in (SECRETS[0], str(receiver.port)):
        assert secret not in daemon.log.read_text()


async def test_kills_while_it_sends(daemon, boss, receiver):
    async def slowly(_request, _call):
        await asyncio.sleep(0.01)
        return web.Response()

    before = {row["seq"] for row in await deliveries(daemon, boss)}
    receiver.answer = slowly
    customers = [11, 12, 13] * 8
    await happens(daemon, boss, *customers[:12])
    await receiver.calls_are(4)
    daemon.kill()
    await asyncio.to_thread(daemon.start)
    await happens(daemon, boss, *customers[12:])
    await receiver.calls_are(14)
    daemon.kill()
    await asyncio.to_thread(daemon.start)
    async with asyncio.timeout(40):
        while await deliveries(daemon, boss, state="waiting") or (len({call.seq for call in receiver.calls}) < 24):
            await asyncio.sleep(0.05)
    first = {}
    for call in receiver.calls:
        first.setdefault(call.headers["X-Kyc-Delivery"], call)
    assert len(first) == 24
    assert len(receiver.calls) <= 24 + 2 * 3  # at a kill, one of each customer may be on its way
    assert not before & {call.seq for call in first.values()}
    for customer in (11, 12, 13):
        assert told(first.values(), customer) == sorted(told(first.values(), customer))
        assert len(told(first.values(), customer)) == 8


async def test_the_command_line(daemon, boss, receiver, capsys):
    async def run(*words, more=()):
        line = ["webhooks", *words, "--config", str(daemon.config), "--data", str(daemon.folder), *more]
        try:
            code = await asyncio.to_thread(main, line)
        except SystemExit as ended:
            code = ended.code
        return SimpleNamespace(returncode=code, **capsys.readouterr()._asdict())

    await happens(daemon, boss, 21)
    await receiver.calls_are(1)
    await none_waits(daemon, boss)
    listed = await run("list", more=("--customer", "21"))
    assert listed.returncode == 0
    line, count = listed.out.splitlines()
    assert line.endswith("profile.updated, customer 21 of acme: delivered, tried 1 times, last 200")
    assert count == "shown 1 of 1"
    receiver.answer = 503
    await happens(daemon, boss, 21)
    await receiver.calls_are(2)
    async with asyncio.timeout(20):
        while not [row for row in await deliveries(daemon, boss, state="waiting") if row["attempts"]]:
            await asyncio.sleep(0.05)
    listed = await run("list", more=("--state", "waiting", "--channel", "webhooks.crm"))
    assert re.search(r"waiting, tried [0-9]+ times, last 503, next 2[0-9-]+ [0-9:]+ UTC\n", listed.out)
    (row,) = await deliveries(daemon, boss, state="waiting")
    done = await run("replay", more=("--id", str(row["id"])))
    assert (done.returncode, done.out) == (0, "tried again: 1\n")
    seq = row["seq"]
    receiver.answer = 200
    again = await run("replay", more=("--channel", "webhooks.crm", "--from-seq", str(seq)))
    assert (again.returncode, again.out) == (0, f"webhooks.crm is told anew from event {seq} on\n")
    dead = await run("replay", more=("--channel", "webhooks.crm"))
    assert (dead.returncode, dead.out) == (0, "tried again: 0\n")

    count = len(receiver.calls)
    tried = await run("test", more=("crm",))
    assert tried.returncode == 0
    assert tried.out.startswith("crm answered 200 within ")
    (call,) = [each for each in receiver.calls[count:] if each.headers["X-Kyc-Event"] == "test"]
    assert verify_webhook(call.headers["X-Kyc-Signature"], call.body, SECRETS[0])
    assert json.loads(call.body)["data"] == {"kind": "test", "seq": 0}
    receiver.answer = 500
    assert (await run("test", more=("crm",))).returncode == 1
    await receiver.down()
    for more, code, says in [
        (("test", "crm"), 1, "crm: the call failed (unreachable)"),
        (("test", "other"), 2, "there is no endpoint 'other' in webhooks.endpoints; there are: crm"),
        (("replay",), 2, "say --id N, or --channel NAME"),
        (("replay", "--id", "1", "--channel", "x"), 2, "say --id N"),
        (("replay", "--from-seq", "1"), 2, "say --id N"),
        (("replay", "--id", "99999"), 1, "Delivery was not found"),
        (("list", "--state", "lost"), 2, "invalid choice"),
    ]:
        refused = await run(more[0], more=more[1:])
        assert (refused.returncode, says in refused.err) == (code, True), (more, refused)
    daemon.config.write_text(daemon.config.read_text().replace("allow_private = true", "").replace("http:", "https:"))
    refused = await run("test", more=("crm",))
    assert (refused.returncode, "see webhooks.allow_private" in refused.err) == (1, True)
