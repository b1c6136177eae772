"""Load from outside: the compiled generator and wrk, with the server's CPU time around each run."""

import json
import re
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import tools
from benchmarks.model import Sample
from benchmarks.processes import Server, pinned
from benchmarks.session import Session

MARGIN = 30.0  # seconds a load may need beyond its own time before it is killed
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadFailedError(Exception):
    """The load did not go through, or a reply was refused."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies of one class of requests, in milliseconds."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Load:
    """One run of the generator."""

    rate: float
    cpu_us: float
    classes: tuple[Latency, Latency]

    def sample(self, *, value: float | None = None) -> Sample:
        """The run as a sample of its rate, or of another value taken from it."""
        first = self.classes[0]
        return Sample(self.rate if value is None else value, self.cpu_us, first.p50_ms, first.p99_ms)


def corpus(path: Path, requests: Iterable[tuple[int, bytes]]) -> Path:
    """Write requests, each with its class, in the generator's format."""
    with path.open("wb") as file:
        for kind, request in requests:
            file.write(struct.pack("<II", len(request), kind))
            file.write(request)
    return path


def http_request(method: str, path: str, token: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one request over a kept connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {token}"]
    lines.extend(f"{name}: {value}" for name, value in (headers or {}).items())
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(
    session: Session,
    server: Server,
    port: int,
    requests: Path,
    *,
    mode: str = "lines",
    connections: int = 50,
    depth: int = 1,
    once: bool = False,
    whole: bool = False,
) -> Load:
    """One run of the compiled generator on its own core; a single refused reply fails it.

    `once` sends every request once, `whole` also waits for the last and measures from the first: for a few large ones.
    """
    argv = [str(tools.load_generator(session)), "-p", str(port), "-f", str(requests), "-m", mode]
    argv += ["-c", str(connections), "-d", str(depth)]
    argv += ["-t", str(MARGIN), "-w", "0"] if whole else ["-t", str(session.seconds), "-w", str(session.warmup)]
    before = server.cpu_seconds()
    output = _run([*argv, "-1"] if once or whole else argv, session)
    cpu = server.cpu_seconds() - before
    found = json.loads(output.stdout)
    if found["refused"]:
        raise LoadFailedError(f"{found['refused']} of {found['total']} replies refused; {output.stderr[:250]}")
    classes = [Latency(kind["p50_us"] / 1000, kind["p99_us"] / 1000) for kind in found["classes"]]
    return Load(found["measured"] / found["seconds"], cpu / max(found["total"], 1) * 1e6, (classes[0], classes[1]))


def drive_wrk(session: Session, server: Server, port: int, paths: list[str], token: str) -> Load:
    """One run of wrk with kept connections over the paths in turn, with an Authorization header."""
    argv = [
        tools.require(session, "wrk"),
        "-t1",
        "-c50",
        f"-d{max(1, round(session.seconds))}s",
        "--latency",
    ]
    script = _wrk_script(session, paths, token)
    before = server.cpu_seconds()
    output = _run([*argv, "-s", str(script), f"http://127.0.0.1:{port}/"], session).stdout
    cpu = server.cpu_seconds() - before
    faults = re.search(r"(Non-2xx.*|Socket errors.*)", output)
    if faults:
        raise LoadFailedError(f"wrk: {faults.group(1)}")
    total = int(_search(r"(\d+) requests in", output))
    latency = Latency(_wrk_milliseconds("50%", output), _wrk_milliseconds("99%", output))
    return Load(float(_search(r"Requests/sec:\s+([\d.]+)", output)), cpu / max(total, 1) * 1e6, (latency, latency))


def _wrk_script(session: Session, paths: list[str], token: str) -> Path:
    """Requests are formatted before the load starts: the generator only picks the next one."""
    script = session.folder("wrk") / "requests.lua"
    listed = ",\n".join(f'  "{path}"' for path in paths)
    script.write_text(
        f"local paths = {{\n{listed}\n}}\n"
        "local ready, at = {}, 0\n"
        "init = function(args)\n"
        f'  wrk.headers["Authorization"] = "{token}"\n'
        '  for i, path in ipairs(paths) do ready[i] = wrk.format("GET", path) end\n'
        "end\n"
        "request = function()\n"
        "  at = at % #ready + 1\n"
        "  return ready[at]\n"
        "end\n"
    )
    return script


def _run(argv: list[str], session: Session) -> "subprocess.CompletedProcess[str]":
    try:
        done = subprocess.run(
            pinned(argv, session.load_core),
            capture_output=True,
            text=True,
            timeout=session.seconds + session.warmup + MARGIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LoadFailedError(f"{Path(argv[0]).name} did not end in time") from None
    if done.returncode:
        raise LoadFailedError(f"{Path(argv[0]).name}: {done.stderr[-250:] or done.stdout[-250:]}")
    return done


def _search(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if not found:
        raise LoadFailedError(f"wrk said nothing of {pattern!r}: {text[:200]}")
    return found.group(1)


def _wrk_milliseconds(quantile: str, text: str) -> float:
    amount, unit = re.fullmatch(r"([\d.]+)([a-z]+)", _search(rf"{quantile}\s+([\d.]+[a-z]+)", text)).groups()  # type: ignore[union-attr]
    return float(amount) * MILLISECONDS[unit]
