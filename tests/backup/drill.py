"""The restore drill: a backup under write load, a restore, a daemon on it; `drill.py --seconds 3 --seed 1`.

The last line has the figures; the exit code is 0 only when nothing is missing and nothing differs.
"""

import argparse
import asyncio
import hashlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "torture"), str(ROOT / "tests" / "e2e" / "support")]

from running import Process, environment  # noqa: E402 - found by the line above
from torture_load import Line, Load  # noqa: E402
from torture_model import BRAND, TEMPLATES  # noqa: E402

from kycmanager.config import load as load_config  # noqa: E402
from kycmanager.domain.enums import SessionType  # noqa: E402
from kycmanager.store.sqlite import SqliteStore  # noqa: E402
from kycmanager.tokens.issue import issue_token  # noqa: E402
from kycmanager.tokens.keys import load_keys  # noqa: E402

SESSIONS = {"manager": SessionType.MANAGER, "system": SessionType.SYSTEM, "customer": SessionType.CUSTOMER}
GROWING = (("audit", "id"), ("audit_link", "id"), ("feed", "last_seq"))
"""Tables of which a backup holds a first part, whole."""

EVENTS_MAX = 10_000_000


class Drill:
    """One data folder under load, its backup, and the folder made of it."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self.folder = folder
        self.args = args
        self.live = Process(folder / "data")
        self.load = Load(args.seed)
        self.faults: list[str] = []
        self.figures: dict[str, Any] = {}

    def demand(self, fits: object, text: str) -> None:
        """Note a fault."""
        if not fits:
            self.faults.append(text)

    def token(self, who: str, customer: int) -> str:
        """Return a token of a manager, a workflow or a customer."""
        key = load_keys(load_config(self.live.config, {}).tokens, self.live.folder).signing
        sub = customer if who == "customer" else 1
        return issue_token(key, session=SESSIONS[who], sub=sub, brands=[BRAND], now=int(time.time()), ttl_seconds=3600)

    async def run(self) -> None:
        """Load, back up, go on loading, restore, compare, start."""
        self.live.start()
        line = await Line.open(self.live.tcp, packed=False)
        for template in TEMPLATES:
            status, told = await line.call("MngAddKycStepTemplate", template, self.token("manager", 0))
            self.demand(status == 200, f"template: {told}")
        loading = asyncio.create_task(self.load.run(self.live.tcp, self.live.http, self.token, 4))
        await asyncio.sleep(self.args.seconds / 2)
        _, before = await line.call("ServerInfo", {}, self.token("manager", 0))
        acknowledged = self.load.acknowledged
        started = time.monotonic()
        await self._command(
            "backup", "--data", self.live.folder, "--to", self.folder / "b", "--keys", self.folder / "k"
        )
        self.figures["backup_seconds"] = round(time.monotonic() - started, 2)
        self.figures["writes_meanwhile"] = self.load.acknowledged - acknowledged
        await asyncio.sleep(self.args.seconds / 2)
        self.load.over = True
        self.live.kill()
        await loading
        await line.close()
        self.faults += self.load.faults
        self.live.start()
        self.live.stop()
        await self._restore()
        await self._compare(before["event_seq"])
        await self._serve()

    async def _command(self, *words: Any) -> str:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "kycmanager", *map(str, words)],
            capture_output=True, check=False, cwd=self.folder, env=environment(), text=True,
        )  # fmt: skip
        self.demand(done.returncode == 0, f"{words[0]}: {done.returncode} {done.stdout} {done.stderr}")
        return done.stdout

    async def _restore(self) -> None:
        keys = ["--keys", self.folder / "k"] if (self.folder / "k").exists() else []
        started = time.monotonic()
        await self._command("restore", "--from", self.folder / "b", "--data", self.folder / "r", *keys)
        self.figures["restore_seconds"] = round(time.monotonic() - started, 2)
        shutil.copytree(self.live.folder / "keys", self.folder / "r" / "keys", dirs_exist_ok=True)

    async def _compare(self, seq: int) -> None:
        """Hold every row and file against the live folder as it was after the last event of the backup."""
        restored = self.folder / "r" / "bases" / "kyc.db"
        for table, order in GROWING:
            held = list(rows(restored, table, order))
            live = list(rows(self.live.folder / "bases" / "kyc.db", table, order))
            self.demand(held == live[: len(held)], f"{table}: the restored rows are not the first of the live ones")
            self.figures[f"{table}_rows"] = len(held)
        copy = self.folder / "copy.db"
        shutil.copy(restored, copy)
        if (keys := restored.with_name("keys.db")).exists():
            shutil.copy(keys, copy.with_name("keys.db"))
        store = SqliteStore(copy)
        await store.open()
        snapshot = await store.load(lambda *_: None)
        events = await store.events_after(0, EVENTS_MAX)
        await store.close()
        self.demand(events and events[-1].seq >= seq, f"the backup ends before event {seq}, which was told before it")
        last = {(type(each.record).__name__, each.record.id): each.record for each in events}
        held_records = [*snapshot.templates, *snapshot.profiles, *snapshot.steps, *snapshot.documents]
        self.figures["records"] = len(held_records)
        for record in held_records:
            told = last.pop((type(record).__name__, record.id), None)
            self.demand(record == told, f"{record} is not what its last event told: {told}")
        self.demand(not last, f"{len(last)} records were told of and are not there")
        stored = {path.name for path in (self.folder / "r" / "storage").iterdir() if path.is_file()}
        self.figures["files"] = len(stored)
        self.demand(
            {each.file_id for each in snapshot.documents} <= {name[:36] for name in stored}, "a file is missing"
        )
        for name in stored:
            places = [each / "storage" / name for each in (self.live.folder, self.folder / "r")]
            live_hash, held_hash = (hashlib.sha256(place.read_bytes()).digest() for place in places)
            self.demand(live_hash == held_hash, f"{name} differs")

    async def _serve(self) -> None:
        """Start a daemon on the restored folder, verify beside it, write to it."""
        with Process(self.folder / "r") as again:
            out = await self._command("verify", "--data", again.folder)
            self.demand(out.rstrip().endswith("faults 0"), out)
            line = await Line.open(again.tcp, packed=False)
            data = {"customer_id": 999_999, "brand": BRAND, "level": 1}
            status, told = await line.call("MngSetKycRequiredLevel", data, self.token("manager", 0))
            self.demand(status == 200, f"a write after the restore: {status} {told}")
            await line.close()
            self.demand(again.stop()[0] == 0, "the restored daemon did not stop well")
        out = await self._command("audit", "verify", "--data", again.folder)
        self.demand("the audit is whole" in out, out)


def rows(base: Path, table: str, order: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table of a base nobody has open."""
    db = sqlite3.connect(f"file:{base}?immutable=1", uri=True)
    try:
        yield from db.execute(f"SELECT * FROM {table} ORDER BY {order}")
    finally:
        db.close()


def main() -> int:
    """Run the drill in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long the daemon is written to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the folder in place")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    drill = Drill(folder, args)
    try:
        asyncio.run(drill.run())
    finally:
        drill.live.kill()
        if args.keep:
            sys.stdout.write(f"left in {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for fault in drill.faults[:20]:
        sys.stdout.write(f"fault: {fault}\n"[:600])
    figures = {"acknowledged": drill.load.acknowledged, **drill.figures, "faults": len(drill.faults)}
    sys.stdout.write(" ".join(f"{name}={value}" for name, value in figures.items()) + "\n")
    return 1 if drill.faults else 0


if __name__ == "__main__":
    sys.exit(main())
