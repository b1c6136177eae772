"""Profiles put into a daemon through its public API, many commands in flight, and the requests made from them."""

import http.client
import itertools
import json
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import samples
from benchmarks.samples import BRAND

CHUNK = 128  # requests sent in one go; two chunks are on their way at most, which the socket buffers hold
HIGH_RISK = 3


class SeedingError(Exception):
    """The daemon refused what the seeding sent."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The ids of what was put in: for customer i (from 1) the profile and its steps stand at i - 1."""

    profiles: list[int]
    steps: list[list[int]]


def line(command: str, token: str, ext_id: str, data: dict[str, Any]) -> bytes:
    """One request of the TCP wire."""
    message = {"command": command, "data": data, "extID": ext_id, "__token": token}
    return json.dumps(message, separators=(",", ":")).encode() + b"\r\n"


def pipeline(port: int, requests: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The replies, as they come; a refused one raises."""
    waiting = iter(requests)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection.makefile("rb", buffering=1 << 20) as replies:
            earlier = 0
            while chunk := list(itertools.islice(waiting, CHUNK)):
                connection.sendall(b"".join(chunk))
                yield from (_reply(replies.readline()) for _ in range(earlier))
                earlier = len(chunk)
            yield from (_reply(replies.readline()) for _ in range(earlier))


def _reply(text: bytes) -> dict[str, Any]:
    if not text:
        raise SeedingError("the daemon closed the connection")
    reply: dict[str, Any] = json.loads(text)
    if reply.get("status") != 200:
        raise SeedingError(f"the daemon refused: {text[:300].decode(errors='replace')}")
    return reply


def fill(port: int, token: str, profiles: int) -> Seed:
    """Four templates of manual steps, then for each customer a profile with its steps; every tenth is of high risk."""
    customers = range(1, profiles + 1)
    templates = (
        line("MngAddKycStepTemplate", token, str(at), samples.template(at)) for at in range(1, samples.STEPS + 1)
    )
    levels = (
        line("MngSetKycRequiredLevel", token, str(i), {"customer_id": i, "brand": BRAND, "level": 1}) for i in customers
    )
    risks = (
        line("MngSetKycRisk", token, str(i), {"customer_id": i, "brand": BRAND, "risk_level": HIGH_RISK})
        for i in customers
        if i % 10 == 0
    )
    for requests in (templates, levels, risks):
        for _ in pipeline(port, requests):
            pass
    reads = (line("MngGetKycProfile", token, str(i), {"customer_id": i, "brand": BRAND}) for i in customers)
    found_profiles, found_steps = [0] * profiles, [[0]] * profiles
    for reply in pipeline(port, reads):
        at = int(reply["extID"]) - 1
        found_profiles[at] = reply["data"]["profile"]["id"]
        found_steps[at] = [step["id"] for step in reply["data"]["steps"]]
    if any(len(steps) != samples.STEPS for steps in found_steps):
        raise SeedingError("a profile has not the steps that were asked for")
    return Seed(found_profiles, found_steps)


def attach(tcp: int, http_port: int, token: str, seed: Seed, documents: int) -> None:
    """So many documents for each profile, each with a small file of its own, the first ones at its steps."""
    door = http.client.HTTPConnection("127.0.0.1", http_port, timeout=60)

    def upload(name: str) -> str:
        headers = {"Authorization": token, "Content-Type": "text/csv"}
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        door.request("POST", "/upload", samples.table(1000), headers)
        reply = door.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise SeedingError(f"the daemon refused an upload: {text[:300].decode(errors='replace')}")
        found: str = json.loads(text)["file_id"]
        return found

    def requests() -> Iterator[bytes]:
        for kyc_id, steps in zip(seed.profiles, seed.steps, strict=True):
            for at in range(documents):
                data = {
                    "kyc_id": kyc_id,
                    "file_id": upload(f"statement-{kyc_id}-{at}.csv"),
                    "step_id": steps[at % len(steps)],
                    "type": "bank_statement",
                }
                yield line("MngAddKycDocument", token, str(kyc_id), data)

    for _ in pipeline(tcp, requests()):
        pass
    door.close()


def risks(ids: Iterable[int], token: str) -> Iterator[tuple[int, bytes]]:
    """The risk of each of these customers, low in one round, medium in the next."""
    customers = list(ids)
    for risk in (1, 2):
        for i in customers:
            yield 0, line("MngSetKycRisk", token, str(i), {"customer_id": i, "brand": BRAND, "risk_level": risk})


def reads(ids: Iterable[int], token: str) -> Iterator[tuple[int, bytes]]:
    """A profile read for each id."""
    for i in ids:
        yield 0, line("MngGetKycProfile", token, str(i), {"id": i})


def lists(token: str) -> Iterator[tuple[int, bytes]]:
    """A hundred profiles of high risk, the first page and by status too."""
    for number, chosen in enumerate(({"risk_level": HIGH_RISK}, {"risk_level": HIGH_RISK, "status": 2})):
        yield 0, line("MngGetKycProfiles", token, str(number), {"brand": BRAND, "limit": 100, **chosen})


def approvals(seed: Seed, token: str) -> Iterator[tuple[int, bytes]]:
    """Each step approved once; neighbours belong to different customers."""
    for at in range(samples.STEPS):
        for steps in seed.steps:
            yield 0, line("MngApproveKycStep", token, str(steps[at]), {"id": steps[at], "reason": "ok"})


def nine_to_one(seed: Seed, token: str, customers: int) -> Iterator[tuple[int, bytes]]:
    """Nine reads (class 0) for each write (class 1): every customer's risk, low in one round, medium in the next."""
    read = itertools.cycle(seed.profiles[:customers])
    for risk in (1, 2):
        for customer in range(1, customers + 1):
            yield from reads(itertools.islice(read, 9), token)
            data = {"customer_id": customer, "brand": BRAND, "risk_level": risk}
            yield 1, line("MngSetKycRisk", token, f"w{customer}", data)
