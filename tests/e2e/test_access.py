"""The access matrix: command x session x brands of the token x object, over every wire, against the table by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from access_table import (
    CHANNEL_SESSIONS,
    COMMANDS,
    EVERYBODY,
    FILES,
    MANAGERS,
    OBJECTS,
    TOKENS,
    UNFILTERED,
    cells,
)
from access_world import BRANDS, PLACES, World
from declared import misfits
from papers import a_pdf
from running import Running
from wires import ROUTES, Ask, Msgpack, Rest, Tcp

from kycmanager.commands import TABLE
from kycmanager.commands.model import Kind
from kycmanager.domain.enums import SessionType

on_one_loop = pytest.mark.asyncio(loop_scope="module")

WRITES = {command.name for command in TABLE if command.kind is Kind.WRITE}
LETTERS = {"a": "acme", "z": "zeta"}


class Case(NamedTuple):
    session: str
    token: str
    object: str
    expected: str

    @property
    def status(self) -> int:
        return int(self.expected.partition(":")[0])


@asynccontextmanager
async def played_on(folder: Path) -> AsyncIterator[World]:
    settings = {"tokens": {"failed_per_minute_max": 1_000_000}, "inspection": {"active_content": "quarantine"}}
    async with (
        Running(folder, **settings) as running,
        Tcp(running.app.tcp_address) as tcp,
        Rest(running.app.http_address) as rest,
    ):
        made = World(running, tcp, rest)
        await made.build()
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(tmp_path) -> AsyncIterator[World]:
    async with played_on(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_world(tmp_path_factory) -> AsyncIterator[World]:
    """One world for all that changes nothing, which `matrix` looks after."""
    async with played_on(tmp_path_factory.mktemp("standing")) as made:
        yield made


@pytest.fixture
def world_of(request, command) -> World:
    changes = {"Subscribe", "Unsubscribe"} | {
        name for name in WRITES if any(case.status == 200 for case in cases(name))
    }
    return request.getfixturevalue("world" if command in changes else "standing_world")


def expected(command, session, token, name, grid=None):
    """Look up by hand what comes."""
    sessions, own_grid = COMMANDS[command]
    if session == "customer" and token in {"none", "all"}:
        return "400"
    if session not in sessions:
        return "403"
    if command in {"Subscribe", "Unsubscribe"}:
        return cells(CHANNEL_SESSIONS.get(session, own_grid))[token, name]
    return cells(grid or own_grid)[token, name]


def cases(command, grid=None):
    return [
        Case(session, token, name, expected(command, session, token, name, grid))
        for session in EVERYBODY
        for token in TOKENS
        for name in OBJECTS
    ]


def token_of(world, case):
    sub = 7 if case.session == "customer" else 1
    return world.running.token(SessionType[case.session.upper()], sub, BRANDS[case.token])


def leaks(case, reply):
    """Name the canaries in an answer that the caller may not see."""
    text = reply.raw
    if case.status != 200:
        return [] if b"CANARY" not in text else ["a canary in a refusal"]
    hidden = {"acme": [b"CANARY-zeta"], "zeta": [b"CANARY-acme"], "none": [b"CANARY"], "all": []}[case.token]
    if case.session == "customer":
        hidden = [*hidden, b"CANARY-acme-8"]
    return [found.decode() for found in hidden if found in text]


def rows_wrong(case, body):
    """Say whether the rows of an answer are of other brands than the cell says."""
    _, colon, letters = case.expected.partition(":")
    if not colon:
        return ""
    wanted = {LETTERS[letter] for letter in letters if letter != "-"}
    if "kyc_profile_id" in body:
        seen = bool(body["kyc_profile_id"]), bool(body["missing"])
        return "" if seen == (bool(wanted), bool(wanted)) else f"the gate tells {seen}"
    if "profile" in body:
        place = body["profile"]["brand"], body["profile"]["customer_id"]
        return "" if place == (*wanted, 7) else f"the profile of {place}"
    brands = {row["brand"] for row in body["rows"]}
    return "" if brands == wanted and (body["count"] > 0) == bool(wanted) else f"rows of {brands}, {body['count']}"


def faults(command, case, reply):
    """Say everything that is wrong with an answer."""
    told = f"{command} {case}: {reply.status} {reply.body}"
    if reply.status != case.status:
        return [told]
    found = [f"{told}: {leak}" for leak in leaks(case, reply)] + misfits(command, reply.status, reply.body)
    if case.status == 200 and (wrong := rows_wrong(case, reply.body)):
        found.append(f"{told}: {wrong}")
    return found


def unlike_missing(command, answered):
    """Name the refusals of another brand's object that differ in any byte from those of a missing one."""
    missing = {(case.session, case.token): reply for case, reply in answered if case.object == "missing"}
    found = []
    for case, reply in answered:
        twin = missing.get((case.session, case.token))
        if twin is not None and case.status == 404 and twin.status == 404 and reply.raw != twin.raw:
            found.append(f"{command} {case}: {reply.raw} is not {twin.raw}")
    return found


async def answered(world, wire, command, chosen, data=None):
    asks = [
        Ask(command, world.standing(command, case.object) if data is None else data[number], token_of(world, case))
        for number, case in enumerate(chosen)
    ]
    return list(zip(chosen, await wire.many(asks), strict=True))


async def matrix(world, wire, command):
    """Ask everything of one command over one wire; return what is wrong."""
    chosen = cases(command)
    writes = command in WRITES
    first = [case for case in chosen if case.status != 200 or not writes]
    before = world.marks()
    told = await answered(world, wire, command, first)
    found = unlike_missing(command, told)
    if world.marks() != before:
        found.append(f"{command}: a refused call has changed something")
    if command in UNFILTERED:
        every = cases(command, UNFILTERED[command])
        told += await answered(world, wire, command, every, [{"limit": 1000}] * len(every))
    allowed = [case for case in chosen if case.status == 200] if writes else []
    fresh = [await world.fresh(command, case.object, token_of(world, case)) for case in allowed]
    before = world.marks()
    done = await answered(world, wire, command, allowed, fresh)
    told += done
    changed = [reply for _, reply in done if reply.body.get("case", reply) is not None]
    if world.marks()[0] < before[0] + len(changed):
        found.append(f"{command}: a write has left no audit row")
    for case, reply in told:
        found += faults(command, case, reply)
    return found


async def without_session(world, wire, command):
    """Ask without a token, and with one that is nobody's."""
    forged = f"{world.boss[:-4]}AAAA"
    told = []
    for token in (None, forged, "x.y.z", ""):
        asks = [Ask(command, world.standing(command, name), token) for name in OBJECTS]
        told += [(token, reply) for reply in await wire.many(asks)]
    return [
        f"{command} with {token}: {reply}"
        for token, reply in told
        if (reply.status, reply.body["error"]) != (401, "PERMISSION_DENIED") or b"CANARY" in reply.raw
    ]


@on_one_loop
@pytest.mark.parametrize("command", COMMANDS)
async def test_every_caller_gets_what_the_table_says(world_of, command):
    world, found = world_of, []
    async with Msgpack(world.running.app.tcp_address) as packed:
        for wire in (world.tcp, packed, world.rest):
            if wire is not world.rest or command in ROUTES:
                found += await without_session(world, wire, command)
                found += await matrix(world, wire, command)
    assert found == []


def test_every_command_stands_in_the_table():
    assert {command.name for command in TABLE} == set(COMMANDS)
    assert {member.name.lower() for member in SessionType} == set(EVERYBODY)


def file_cases(door):
    sessions, grids = FILES[door]
    for session in EVERYBODY:
        for token in TOKENS:
            for name in OBJECTS:
                if session == "customer" and token in {"none", "all"}:
                    wanted = "400"
                elif session in sessions:
                    wanted = cells(grids["customer" if session == "customer" else "manager"])[token, name]
                else:
                    wanted = "403"
                yield Case(session, token, name, wanted)


@on_one_loop
async def test_stored_files_are_read_by_those_who_may(world):
    found = []
    bodies = {}
    for case in file_cases("download"):
        path = f"/storage/{world.thing('file', case.object)}"
        async with world.rest.http.get(path, headers={"Authorization": token_of(world, case)}) as answer:
            content = await answer.read()
            bodies[case] = content
            if answer.status != case.status or (b"CANARY" in content) != (case.status == 200):
                found.append((case, answer.status, content[:200]))
    for case, content in bodies.items():
        if case.status == 404 and content != bodies[case._replace(object="missing", expected="404")]:
            found.append((case, content))
    for token in (None, "x.y.z"):
        headers = {} if token is None else {"Authorization": token}
        reply = await world.rest.ask("GET", f"/storage/{world.thing('file', 'mine')}", headers=headers)
        found += [] if reply.status == 401 else [reply]
    assert found == []


@on_one_loop
async def test_renditions_are_shown_to_those_who_may_read_the_file(world):
    found = []
    for case in file_cases("download"):
        path = f"/storage/{world.thing('file', case.object)}/rendition?kind=thumb"
        async with world.rest.http.get(path, headers={"Authorization": token_of(world, case)}) as answer:
            content = await answer.read()
            shown = answer.status == 200 and answer.content_type == "image/jpeg"
            if answer.status != case.status or shown != (case.status == 200) or b"CANARY" in content:
                found.append((case, answer.status, content[:200]))
    assert found == []


@on_one_loop
async def test_uploads_belong_to_a_brand_of_the_token(world):
    found = []
    for case in file_cases("upload"):
        customer = case.session == "customer"
        reply = await world.rest.upload(a_pdf(), "a.pdf", token_of(world, case), brand=PLACES[case.object][1])
        if reply.status != case.status:
            found.append((case, reply))
        elif reply.status == 200:
            meta = await world.running.app.core.storage.get(reply.body["file_id"])
            brand = case.token if customer else PLACES[case.object][1]
            if (meta.brand, meta.owner_kind == "customer", meta.owner_id) != (brand, customer, 7 if customer else 1):
                found.append((case, meta))
    assert found == []


@on_one_loop
@pytest.mark.parametrize("session", [*MANAGERS, "customer"])
async def test_pushes_go_to_those_who_may_read(world, session):
    """Whoever listens to everything is told of the own brands only, a customer of the own things only."""
    heard = {}
    for token in ("acme", "zeta") if session == "customer" else TOKENS:
        case = Case(session, token, "mine", "200")
        channels = [f"kyc:{token}:7"] if session == "customer" else ["kyc", "kyc:acme", "kyc:zeta", "kyc:zeta:7"]
        async with Tcp(world.running.app.tcp_address) as wire:
            asked = await wire.call("Subscribe", {"channels": channels, "after_seq": 0}, token_of(world, case))
            assert asked.status == 200
            for place in (PLACES["mine"], PLACES["neighbour"], PLACES["foreign"]):
                await world.ask("MngSetKycRisk", dict(zip(("customer_id", "brand"), place, strict=True), risk_level=1))
            heard[token] = await wire.drain()
    wanted = {"acme": {"acme"}, "zeta": {"zeta"}, "none": set(), "all": {"acme", "zeta"}}
    for token, events in heard.items():
        assert {event["data"]["brand"] for event in events} == wanted[token]
        text = str(events)
        hidden = {"acme": "CANARY-zeta", "zeta": "CANARY-acme", "none": "CANARY", "all": "no such word"}[token]
        assert hidden not in text
        if session == "customer":
            assert {event["data"]["customer_id"] for event in events} == {7}
            assert "reviewed_by" not in text
            assert "comment" not in text
    if session != "customer":
        assert "CANARY-zeta-7" in str(heard["zeta"])
