"""Every command over every way in: equal replies from equal histories, each of its declared type or error."""

import json
import re

import pytest
from declared import misfits, schema_faults
from history import HISTORY, WALLET
from msgspec import to_builtins
from papers import a_jpeg, a_pdf, an_active_pdf
from running import Running
from wires import Ask, Msgpack, Reply, Rest, Tcp, unroutable

from kycmanager.client import BadReply, Encoding, NoRoute, RemoteError, RestClient, TcpClient
from kycmanager.commands import TABLE
from kycmanager.commands.model import Kind
from kycmanager.transports.control import run_local

WHO = {
    "manager": (1, 1, ["acme"]),
    "all": (3, 2, None),
    "other": (11, 3, ["zeta"]),
    "customer": (9, 7, ["acme"]),
    "neighbour": (9, 8, ["acme"]),
    "system": (4, 4, ["acme"]),
    "fix": (5, 5, []),
}
SETTINGS = {"inspection": {"active_content": "quarantine"}}
REACHABLE = {command.name: command for command in TABLE if command.access.sessions}


class Typed:
    """A client of the product, whose typed replies are turned back into plain data."""

    def __init__(self, client, encoding):
        self.client, self.encoding = client, encoding

    async def __aenter__(self):
        await self.client.open()
        return self

    async def __aexit__(self, *_error):
        await self.client.close()

    async def call(self, command, data, token, key=""):
        self.client.token = token or ""
        keyed = {"idempotency_key": key} if key else {}
        method = getattr(self.client, re.sub(r"(?<!^)(?=[A-Z])", "_", command).replace(".", "_").lower())
        try:
            try:
                answer = await method(**data, **keyed)
            except TypeError:  # something is missing that the method asks for
                answer = await self.client.call(command, data, REACHABLE[command].reply, **keyed)
        except RemoteError as error:
            told = {"error": error.error, "message": error.message}
            return Reply(error.status, told | ({"data": error.data} if error.data else {}))
        return Reply(200, to_builtins(answer))


SURFACES = {
    "tcp": lambda app: Tcp(app.tcp_address),
    "msgpack": lambda app: Msgpack(app.tcp_address),
    "rest": lambda app: Rest(app.http_address),
    "typed tcp": lambda app: Typed(TcpClient(*app.tcp_address, token=""), "json"),
    "typed msgpack": lambda app: Typed(TcpClient(*app.tcp_address, token="", encoding=Encoding.MSGPACK), "msgpack"),
    "typed rest": lambda app: Typed(RestClient("http://{}:{}".format(*app.http_address), token=""), "rest"),
}


def filled(data, files):
    return {name: files.get(value, value) if isinstance(value, str) else value for name, value in data.items()}


def neutral(reply, files):
    """Return what is the same over every way in: random uuids by their letter, no way in, no connections, not how far counting is."""
    text = json.dumps(reply.body, sort_keys=True)
    for letter, uuid in files.items():
        text = text.replace(uuid, letter)
    text = re.sub(r'"source": "(tcp|rest)"', '"source": "*"', text)
    text = re.sub(r"/portal/link/[\w.-]+", "/portal/link/*", re.sub(r"pass:[\w-]+", "pass:*", text))
    return reply.status, re.sub(r'"(connections|uncounted)": \d+', r'"": 0', text)


async def played(folder, make):
    """Play the history over one way in; return the neutral replies, None where the way has no such request."""
    told = []
    async with (
        Running(folder, **SETTINGS) as running,
        Rest(running.app.http_address) as http,
        make(running.app) as surface,
    ):
        tokens = {who: running.token(*given) for who, given in WHO.items()} | {"nobody": None, "bad": "a.b.c"}
        files = {}
        for letter, who, name, content in (
            ("$a", "customer", "pass.jpg", a_jpeg()),
            ("$b", "customer", "letter.pdf", a_pdf("the same every time")),
            ("$m", "manager", "from-us.pdf", a_pdf("ours")),
            ("$q", "customer", "script.pdf", an_active_pdf("held back")),
        ):
            files[letter] = (await http.upload(content, name, tokens[who])).body["file_id"]
        await run_local(running.app.core.executor, "SysOpenSepIdentity", WALLET)  # only a wallet makes one
        for line in HISTORY:
            running.now += 1
            ask = Ask(line.command, filled(line.data, files), tokens[line.who], line.key)
            if surface.encoding == "rest" and unroutable(ask):
                told.append(None)
                continue
            reply = await surface.call(*ask)
            assert misfits(line.command, reply.status, reply.body) == []
            told.append(neutral(reply, files))
    return told


async def test_every_way_in_gives_equal_data(tmp_path):
    histories = {name: await played(tmp_path / name, make) for name, make in SURFACES.items()}
    reference = histories["tcp"]
    for number, line in enumerate(HISTORY):
        assert reference[number][0] == line.status, (line, reference[number])
        for name, history in histories.items():
            if history[number] is not None:
                assert history[number] == reference[number], (name, line)


async def test_what_memory_holds_is_what_the_base_holds(tmp_path):
    """Every record, after a history of every write, is read back from the base as it was in memory."""
    held = []

    class Closing(Tcp):
        async def __aexit__(self, *error):
            held.append(tables(self.core))
            await super().__aexit__(*error)

    def make(app):
        surface = Closing(app.tcp_address)
        surface.core = app.core
        return surface

    await played(tmp_path, make)
    async with Running(tmp_path) as again:
        assert tables(again.app.core) == held[0]


def tables(core):
    cache = core.cache
    parts = (
        cache.templates,
        cache.texts,
        cache.profiles,
        cache.steps,
        cache.documents,
        cache.idempotency,
        cache.counters,
    )
    return [dict(part) for part in parts]


def test_the_history_has_every_command_and_its_own_errors():
    met = {(line.command, line.status) for line in HISTORY}
    for name, command in REACHABLE.items():
        assert (name, 200) in met
        own = {code.status for code in command.errors} - {405}
        if command.kind is not Kind.WRITE:
            assert {(name, status) for status in own} <= met, name


@pytest.mark.parametrize("make", [SURFACES["typed rest"], SURFACES["typed tcp"]], ids=["rest", "tcp"])
async def test_a_client_says_when_a_command_has_no_route(tmp_path, make):
    async with Running(tmp_path) as running, make(running.app) as surface:
        surface.client.token = running.token(1, 1, ["acme"])
        if surface.encoding == "rest":
            with pytest.raises(NoRoute):
                await surface.client.subscribe(channels=["kyc"])
        else:
            with pytest.raises(BadReply):
                await surface.client.call("Ping", {}, list[int])


async def test_uploads_by_form_and_by_body_are_told_alike(tmp_path):
    async with Running(tmp_path) as running, Rest(running.app.http_address) as http:
        token = running.token(9, 7, ["acme"])
        url = "http://{}:{}".format(*running.app.http_address)
        async with RestClient(url, token=token) as client:
            bodies = [(await http.upload(a_jpeg(), "a b.jpg", token, purpose="kyc")).body]
            bodies += [
                to_builtins(await client.upload(a_jpeg(), filename="a b.jpg", purpose="kyc", raw=raw))
                for raw in (True, False)
            ]
            for body in bodies:
                assert schema_faults("POST", "/upload", 200, body) == []
                assert await client.download(body["file_id"]) == a_jpeg()
                assert await client.download(body["file_name"]) == a_jpeg()
            alike = [json.dumps(body).replace(body["file_id"], "") for body in bodies]
            assert alike[0] == alike[1] == alike[2]
            for content, name, status in (
                (b"", "a.jpg", 400),
                (a_pdf("x"), "a.jpg", 400),
                (a_jpeg(), "a.svg", 400),
                (a_jpeg(), "a", 400),
            ):
                reply = await http.upload(content, name, token)
                assert (reply.status, reply.body["error"]) == (status, "RET_INVALID_DATA")
                assert schema_faults("POST", "/upload", reply.status, reply.body) == []
            assert (await http.upload(a_jpeg(), "a.jpg", None)).status == 401


async def test_what_no_command_is(tmp_path):
    async with (
        Running(tmp_path) as running,
        Rest(running.app.http_address) as http,
        Tcp(running.app.tcp_address) as tcp,
    ):
        token = running.token(1, 1, ["acme"])
        for path in ("/healthz", "/readyz"):
            reply = await http.ask("GET", path)
            assert (reply.status, schema_faults("GET", path, 200, reply.body)) == (200, [])
        async with http.http.get("/metrics") as answer:
            assert "kycmanager" in await answer.text()
        assert (await http.ask("GET", "/openapi.json")).body["openapi"] == "3.1.0"
        assert (await tcp.call("NoSuchCommand", {}, token)).body["error"] == "RET_INVALID_METHOD"
        assert (await http.ask("GET", "/no/such/page", headers={"Authorization": token})).status == 404
        assert (await http.ask("PATCH", "/upload", headers={"Authorization": token})).status == 405
