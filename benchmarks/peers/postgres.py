"""PostgreSQL with default durability, spoken to in its own protocol: one transaction for each approval."""

import shutil
import signal
import struct
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import samples, tools
from benchmarks.model import NotMeasuredError
from benchmarks.peers.servers import Peer
from benchmarks.processes import accepts, free_port, running
from benchmarks.session import Session

PROFILES = 10_000
USER = "nobody"  # the server refuses to run as root

SCHEMA = f"""
CREATE TABLE profiles (id bigint PRIMARY KEY, customer_id bigint, brand text, status int, updated_time bigint,
  version int, payload text);
CREATE TABLE steps (id bigint PRIMARY KEY, kyc_id bigint, status int, reason text, reviewed_time bigint,
  reviewed_by bigint, updated_time bigint, version int, payload text);
CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, time bigint, kyc_id bigint, step_id bigint,
  action text, actor_id bigint, details text);
CREATE TABLE events (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, time bigint, brand text, customer_id bigint,
  kind text, payload text);
INSERT INTO profiles SELECT i, i, 'bench', 2, 1760000000, 1, repeat('p', 200) FROM generate_series(1, {PROFILES}) i;
INSERT INTO steps SELECT i, (i - 1) / 4 + 1, 0, NULL, NULL, NULL, 1760000000, 1, repeat('s', 200)
  FROM generate_series(1, {PROFILES * samples.STEPS}) i;
CREATE ROLE bench SUPERUSER LOGIN;
VACUUM ANALYZE;
"""

APPROVE = (
    "BEGIN;"
    "UPDATE steps SET status = 2, reason = 'ok', reviewed_time = 1760000001, reviewed_by = 1,"
    " updated_time = 1760000001, version = version + 1 WHERE id = {step};"
    "UPDATE profiles SET status = 2, updated_time = 1760000001, version = version + 1 WHERE id = {profile};"
    "INSERT INTO audit (time, kyc_id, step_id, action, actor_id, details)"
    " VALUES (1760000001, {profile}, {step}, 'step.approved', 1, '{{\"old\":0,\"new\":2}}');"
    "INSERT INTO events (time, brand, customer_id, kind, payload)"
    " VALUES (1760000001, 'bench', {profile}, 'step.approved', '{{\"id\":{step},\"status\":2}}');"
    "COMMIT"
)


def approvals() -> Iterator[tuple[int, bytes]]:
    """Simple queries, a whole transaction in each: one round trip, the cheapest way to ask."""
    for at in range(samples.STEPS):
        for profile in range(1, PROFILES + 1):
            step = (profile - 1) * samples.STEPS + at + 1
            text = APPROVE.format(step=step, profile=profile).encode() + b"\0"
            yield 0, b"Q" + struct.pack(">I", len(text) + 4) + text


def _programs() -> Path:
    """The folder of initdb and postgres: the system's, or the one of a wheel."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheels = [path.parent for path in Path(sysconfig.get_path("purelib")).glob("*postgres*/**/bin/initdb")]
    found = shutil.which("initdb")
    for folder in [*([Path(found).resolve().parent] if found else []), *places, *wheels]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NotMeasuredError("no PostgreSQL server is installed")


@contextmanager
def postgres(session: Session) -> Iterator[Peer]:
    """A new cluster with default durability (fsync and synchronous_commit on) and room for 100 clients."""
    programs, port, folder = _programs(), free_port(), session.folder("postgres")
    user = USER if tools.is_root() else None
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
    as_user = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
    _must([*as_user, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8"])
    schema = "".join(f"{part};\n\n" for part in SCHEMA.strip().split(";\n"))
    single = [*as_user, str(programs / "postgres"), "--single", "-j", "-D", str(data), "postgres"]
    _must(single, schema)
    argv = [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    argv += ["-c", "max_connections=100", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"]
    with running(
        argv,
        core=session.server_core,
        log=folder / "log",
        ready=accepts(port),
        user=user,
        cwd=data,
        stop_signal=signal.SIGINT,
    ) as server:
        yield Peer(server, port, folder)


def _must(argv: list[str], text: str = "") -> None:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=120, check=False, cwd="/")
    if done.returncode or "ERROR:" in done.stderr:
        raise NotMeasuredError(f"PostgreSQL cannot be set up: {done.stderr[-250:]}")
