"""The real process: signals, a second one, restarts, revocations, damage, TLS."""

import asyncio
import json
import signal
import ssl

import pytest
from papers import a_jpeg, a_pdf
from running import Process
from tls_files import certify
from wires import Ask, Msgpack, Rest, Tcp


async def seed(process):
    """Make a template, a profile with one step and one document; return the uuid of its file."""
    admin, customer = process.issue("admin", 1), process.issue("customer", 7, "acme")
    async with Tcp(process.tcp) as tcp, Rest(process.http) as rest:
        told = await tcp.many(
            [
                Ask("MngAddKycStepTemplate", {"brand": "acme", "code": "paper", "level": 1}, admin),
                Ask("MngSetKycRequiredLevel", {"customer_id": 7, "brand": "acme", "level": 1}, admin),
            ]
        )
        assert [reply.status for reply in told] == [200, 200]
        file_id = (await rest.upload(a_jpeg(), "a.jpg", customer)).body["file_id"]
        data = {"kyc_id": 1, "file_id": file_id, "step_id": 1}
        assert (await tcp.call("CustomerAddKycDocument", data, customer)).status == 200
        assert (await tcp.call("CustomerSubmitKycStep", {"id": 1}, customer)).status == 200
    return file_id


async def seen(process):
    """Return everything a manager can read."""
    admin = process.issue("admin", 1)
    async with Tcp(process.tcp) as tcp:
        asks = [
            Ask("MngGetKycStepTemplates", {}, admin),
            Ask("MngGetKycProfiles", {}, admin),
            Ask("MngGetKycProfile", {"id": 1}, admin),
            Ask("MngGetKycStep", {"id": 1}, admin),
            Ask("MngGetKycDocuments", {}, admin),
            Ask("MngGetKycAudit", {}, admin),
        ]
        replies = await tcp.many(asks)
        assert {reply.status for reply in replies} == {200}
        await tcp.call("Subscribe", {"channels": ["kyc"], "after_seq": 0}, admin)
        return [reply.body for reply in replies], await tcp.drain()


async def test_the_data_is_for_its_owner_alone(process, tmp_path):
    await seed(process)
    found = [path for path in (tmp_path / "data").rglob("*") if path.name != "ready.json"]
    assert any(path.suffix == ".db" for path in found)
    assert any(path.name.endswith(".jpg.sealed") for path in found)
    assert [path.name for path in found if path.stat().st_mode & 0o077 and not path.is_symlink()] == []


async def test_a_restart_keeps_everything(process):
    file_id = await seed(process)
    before = await seen(process)
    assert len(before[1]) >= 6
    code, seconds = process.stop()
    assert (code, seconds < 10) == (0, True)
    assert not process.ready_file.exists()
    process.start()
    assert await seen(process) == before
    async with Rest(process.http) as rest:
        headers = {"Authorization": process.issue("customer", 7, "acme")}
        async with rest.http.get(f"/storage/{file_id}", headers=headers) as answer:
            assert await answer.read() == a_jpeg()
    process.kill()
    process.start()
    assert await seen(process) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_under_load_loses_nothing(process, number):
    """Everybody who was answered finds the write after the restart; everybody else is told, or cut off."""
    admin = process.issue("admin", 1)
    acknowledged, refused = set(), []

    async def write(lane):
        customer = lane * 1_000_000
        async with Msgpack(process.tcp) if lane % 2 else Tcp(process.tcp) as tcp:
            while True:
                asked = range(customer + 1, customer + 21)
                customer += 20
                asks = [
                    Ask("MngSetKycRisk", {"customer_id": each, "brand": "acme", "risk_level": 1}, admin)
                    for each in asked
                ]
                for each, reply in zip(asked, await tcp.many(asks), strict=True):
                    if reply.status == 200:
                        acknowledged.add(each)
                    else:
                        refused.append(reply.body["error"])
                if refused:
                    return

    writers = [asyncio.create_task(write(lane)) for lane in range(1, 7)]
    await asyncio.sleep(0.7)
    code, seconds = await asyncio.to_thread(process.stop, number)
    ends = await asyncio.gather(*writers, return_exceptions=True)
    assert (code, seconds < 10) == (0, True)
    assert all(end is None or isinstance(end, asyncio.IncompleteReadError | ConnectionError) for end in ends), ends
    assert set(refused) <= {"RET_ERR_SHUTDOWN"}
    assert len(acknowledged) > 200
    told = [json.loads(line)["event"] for line in process.log.read_text().splitlines()]
    assert told == ["serving", "stopping", "stopped"]
    process.start()
    async with Tcp(process.tcp) as tcp:
        asks = [Ask("MngGetKycProfile", {"customer_id": each, "brand": "acme"}, admin) for each in acknowledged]
        replies = await tcp.many(asks)
    assert {(reply.status, reply.body["profile"]["risk_level"]) for reply in replies} == {(200, 1)}


async def test_a_silent_connection_does_not_delay_the_end(process):
    async with Tcp(process.tcp), Rest(process.http) as rest, Tcp(process.http):
        await rest.ask("GET", "/healthz")
        code, seconds = await asyncio.to_thread(process.stop)
    assert (code, seconds < 6) == (0, True)


async def test_a_second_process_is_refused(process):
    more = ("--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0")
    done = await asyncio.to_thread(process.run, "serve", more=more)
    assert done.returncode == 1
    complaint = done.stderr.strip().splitlines()[-1]
    assert complaint.startswith("kycmanager: ")
    assert "is held by process" in complaint
    assert "Traceback" not in done.stderr
    async with Tcp(process.tcp) as tcp:
        assert (await tcp.call("Ping", {}, process.issue("admin", 1))).status == 200


@pytest.mark.parametrize("way", ["token", "subject"])
async def test_a_revoked_token_is_refused_at_once_on_an_open_connection(process, way):
    await seed(process)
    token, other = process.issue("manager", 5, "acme"), process.issue("manager", 6, "acme")
    read = Ask("MngGetKycProfile", {"id": 1}, token)
    async with Tcp(process.tcp) as tcp, Msgpack(process.tcp) as packed, Rest(process.http) as rest:
        for wire in (tcp, packed, rest):
            assert {(await wire.call(*read)).status for _ in range(3)} == {200}
        options = ("--token", "-") if way == "token" else ("--session", "manager", "--id", "5")
        done = await asyncio.to_thread(process.run, "token", "revoke", more=options, stdin=f"{token}\n")
        assert (done.returncode, done.stderr) == (0, "")
        for wire in (tcp, packed, rest):
            assert (await wire.call(*read)).status == 401
            assert (await wire.call(*read._replace(token=other))).status == 200
    fresh = process.issue("manager", 5, "acme")
    process.kill()
    process.start()
    async with Tcp(process.tcp) as tcp:
        assert (await tcp.call(*read)).status == 401
        assert (await tcp.call(*read._replace(token=fresh))).status == 200
        rows = (await tcp.call("MngGetKycAudit", {}, process.issue("admin", 1))).body["rows"]
        assert rows[0]["action"] == ("token.revoked" if way == "token" else "token.subject_revoked")


async def test_check_and_verify_with_and_without_the_daemon(process):
    file_id = await seed(process)
    for running in (True, False):
        if not running:
            process.stop()
        done = await asyncio.to_thread(process.run, "check")
        assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
        assert "bases: ok, templates 1, profiles 1, steps 1, documents 1" in done.stdout
        done = await asyncio.to_thread(process.run, "verify")
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1].endswith("files 1; faults 0")
    stored = process.folder / "storage" / f"{file_id}.jpg.sealed"
    content = bytearray(stored.read_bytes())
    content[40] ^= 1
    stored.write_bytes(content)
    for running in (False, True):
        if running:
            process.start()
        done = await asyncio.to_thread(process.run, "verify")
        assert done.returncode == 1
        assert f"{file_id}" in done.stdout
        assert "is damaged" in done.stdout
        assert "files 1; faults 1" in done.stdout
    async with Rest(process.http) as rest:
        headers = {"Authorization": process.issue("customer", 7, "acme")}
        async with rest.http.get(f"/storage/{file_id}", headers=headers) as answer:
            assert answer.status == 500
            assert "correlation_id" in (await answer.json())["data"]
    stored.unlink()
    done = await asyncio.to_thread(process.run, "verify")
    assert (done.returncode, "is missing" in done.stdout) == (1, True)


@pytest.mark.parametrize("name", ["kyc.db", "storage.db"])
async def test_a_damaged_base_stops_the_start_with_one_clear_line(process, name):
    await seed(process)
    process.stop()
    base = process.folder / "bases" / name
    content = bytearray(base.read_bytes())
    content[0:64] = b"x" * 64
    base.write_bytes(content)
    for words in (("serve",), ("check",)):
        more = ("--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0") if words == ("serve",) else ()
        done = await asyncio.to_thread(process.run, *words, more=more)
        assert done.returncode == 1
        assert name in done.stderr
        assert "Traceback" not in done.stderr
    done = await asyncio.to_thread(process.run, "verify")
    assert (done.returncode, name in done.stdout, "Traceback" in done.stderr) == (1, True, False)
    assert base.read_bytes() == bytes(content)


async def test_tls_on_both_doors(tmp_path):
    (tmp_path / "data").mkdir()
    context = ssl.create_default_context(cafile=certify(tmp_path / "data")[0])
    settings = '[server]\ntls_cert = "cert.pem"\ntls_key = "key.pem"\n'
    with Process(tmp_path / "data", config=settings) as process:
        token = process.issue("admin", 1, "acme")
        for wire in (Tcp(process.tcp, context), Msgpack(process.tcp, context), Rest(process.http, context)):
            async with wire:
                assert (await wire.call("Ping", {}, token)).body["pong"] is True
        async with Rest(process.http, context) as rest:
            content = a_pdf("x" * 200_000)
            stored = await rest.upload(content, "large.pdf", token)
            path = f"/storage/{stored.body['file_name']}"
            async with rest.http.get(path, headers={"Authorization": token}) as answer:
                assert await answer.read() == content
        async with Tcp(process.tcp) as plain:
            plain.writer.write(b'{"command": "Ping"}\r\n')
            assert await plain.reader.read() in {b"", b"\x15\x03\x01\x00\x02\x02\x0a", b"\x15\x03\x03\x00\x02\x02\x46"}
        done = await asyncio.to_thread(process.run, "check")
        assert "certificate: ok" in done.stdout
        code, seconds = await asyncio.to_thread(process.stop)
        assert (code, seconds < 10) == (0, True)
