"""The operator's socket: local rows and reads, for the owner of the data folder only."""

import asyncio
import contextlib
import json
import stat

import pytest

from kycmanager.cli.control import call
from kycmanager.transports.control import ControlServer
from kycmanager.transports.json_wire import encode


@pytest.fixture
def control(tmp_path):
    return tmp_path / "bases" / "control.sock"


async def ask(path, *lines):
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    replies = [json.loads(await reader.readline()) for _ in lines]
    writer.close()
    return replies


async def test_revocation_counts_at_once(daemon, client, control):
    await client.good("Ping")
    data = {"session": 1, "sub": 7, "not_before": daemon.clock() + 1}
    assert await ask(control, {"command": "SysRevokeSubject", "data": data}) == [
        {"status": 200, "data": {"accepted": True}}
    ]
    assert (await client.ask("Ping"))["status"] == 401


async def test_reads_and_refusals(daemon, control):
    replies = await ask(
        control,
        {"command": "ServerInfo", "extID": 1},
        {"command": "MngGetKycAudit"},
        {"command": "MngSetKycRisk", "data": {"customer_id": 1, "brand": "a", "risk_level": 1}},
        {"command": "Nope"},
        {"command": "MngGetKycProfile", "data": {"id": 5}},
        {"command": "MngGetKycStep", "data": {"id": 5}, "extID": "e"},
        [],
    )
    assert [reply["status"] for reply in replies] == [200, 200, 403, 405, 404, 404, 400]
    assert replies[0]["extID"] == 1
    assert replies[0]["data"]["name"] == "kycmanager"


async def test_only_its_owner_can_open_it(daemon, control):
    assert stat.S_IMODE(control.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(control.stat().st_mode)


async def test_client_of_the_command_line(daemon, tmp_path):
    seen = []
    answer = await asyncio.to_thread(call, tmp_path, "SysVerify", {}, lambda *each: seen.append(each))
    assert answer == {"checked": 0, "faults": []}


async def test_progress_comes_before_the_answer(tmp_path):
    async def run(command, data, report):
        report("files", 1, 2)
        return encode({"command": command, "data": data})

    (tmp_path / "bases").mkdir()
    server = ControlServer(tmp_path / "bases" / "control.sock", run)
    await server.start()
    seen = []
    answer = await asyncio.to_thread(call, tmp_path, "Long", {"a": 1}, lambda *each: seen.append(each))
    await server.close()
    assert answer == {"command": "Long", "data": {"a": 1}}
    assert seen == [("files", 1, 2)]


async def test_start_over_a_socket_left_behind_and_stop(tmp_path, caplog):
    waiting = asyncio.Event()

    async def run(command, data, report):
        waiting.set()
        await asyncio.sleep(60)
        return b""

    path = tmp_path / ("d" * 90) / "control.sock"
    path.parent.mkdir()
    path.touch()
    server = ControlServer(path, run)
    await server.start()
    import os

    folder = os.open(path.parent, os.O_RDONLY)
    reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/control.sock")
    os.close(folder)
    writer.write(b'{"command":"c"}\n')
    await waiting.wait()
    await server.close()
    await server.close()
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert not path.exists()


async def test_line_without_end(daemon, control):
    reader, writer = await asyncio.open_unix_connection(str(control))
    writer.write(b"x" * (3 << 20))
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
