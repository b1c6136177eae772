"""Damage: single bits flipped in bases and files; what the start, the reading and `kycmanager verify` make of them."""

import asyncio
import contextlib
import io
import shutil
import signal
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torture_rounds import Job, Outcome, Rounds

from kycmanager.__main__ import main
from kycmanager.config import load as load_config
from kycmanager.core import Core
from kycmanager.ports import AuditQuery, StoreRefused
from kycmanager.store.sqlite.sums import RowDamaged
from storagemanager import StorageError

UPLOADS = 20
"""So many files are stored before the damage begins."""
ROUNDS = 50
"""Flips of one folder."""

TARGETS = ("kyc.db", "kyc.db", "storage.db", "file")
"""What is hit, each as often as it stands here."""

REFUSED = "refused"
Answers = dict[tuple[str, Any], Any]


class Damage(Rounds):
    """Bits of copies of one folder, flipped one at a time."""

    async def fill(self) -> None:
        """Make a folder that is worth damaging, and end the daemon properly."""
        self.start()
        await self.set_up()
        loading = self.loading()
        while self.load.uploaded < UPLOADS and not loading.done():
            await asyncio.sleep(0.01)
        self.load.over = True
        self.process.stop(signal.SIGTERM)
        await self.loaded(loading)

    def flips(self) -> None:
        """Flip and look, again and again."""
        whole = self._answers(self._copy())
        assert isinstance(whole, dict), whole
        assert self._verify(self._copy()) == 0
        for number in range(self.job.count):
            target = self.rng.choice(TARGETS)
            seed = self.rng.random()
            where, first = self._flipped(target, seed)
            named = self._named(first, where)
            _, second = self._flipped(target, seed)
            sound = target == "file" or _sound(second / "bases" / target)
            self._judge(target, where, whole, self._answers(second), named=named, sound=sound)
            self.figures["flips"] += 1
            if number % 10 == 9:
                self.progress(f"flip {self.job.number + number + 1}")

    def _judge(
        self, target: str, where: str, whole: Answers, found: Answers | str, *, named: bool, sound: bool
    ) -> None:
        """Count what became of a flip. An answer that is not what it was, and no refusal, must never be.

        `sound` is what SQLite's own full check says; a flip that only it sees lies in an index, or in what nobody reads.
        """
        self.figures[f"flips_{target}"] += 1
        served = (
            [] if isinstance(found, str) else [key for key in whole if _answer(found, key) not in (whole[key], REFUSED)]
        )
        refused = isinstance(found, str) or REFUSED in found.values()
        if served:
            text = f"{where}: {[(key, whole[key], found.get(key)) for key in served[:2]]}"
            self.findings.add("damage_served", f"{text}; {'named' if named else 'NOT named'} by verify")
        elif target == "file" and not (named and refused):
            self.findings.add("damage_served", f"{where}: named {named}, refused {refused}")
        noticed = "noticed" if named or refused else "harmless" if sound else "hidden"
        self.figures[f"{noticed}_{target}"] += 1
        if refused and not named:
            self.findings.add("damage_unnamed", f"{where}: {found if isinstance(found, str) else 'refused when read'}")

    def _copy(self) -> Path:
        trial = self.folder / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        shutil.copytree(self.process.folder, trial, ignore=shutil.ignore_patterns("*.sock"))
        return trial

    def _flipped(self, target: str, seed: float) -> tuple[str, Path]:
        """Return a copy with one bit flipped, and which."""
        trial = self._copy()
        if target == "file":
            stored = sorted(path for path in (trial / "storage").iterdir() if path.is_file())
            path = stored[int(seed * 1e9) % len(stored)]
        else:
            path = trial / "bases" / target
        bit = int(seed * path.stat().st_size * 8)
        with path.open("r+b") as file:
            file.seek(bit // 8)
            (byte,) = file.read(1)
            file.seek(bit // 8)
            file.write(bytes((byte ^ 1 << bit % 8,)))
        return f"{path.name} byte {bit // 8} bit {bit % 8}", trial

    def _named(self, folder: Path, where: str) -> bool:
        try:
            return self._verify(folder) != 0
        except Exception:
            self.findings.add("damage_unnamed", f"{where}: verify broke: {traceback.format_exc()[-900:]}")
            return True

    def _verify(self, folder: Path) -> int:
        """Run `kycmanager verify`; return its exit code."""
        with _silence():
            return main(["verify", "--data", str(folder), "--config", str(self.process.config)])

    def _answers(self, folder: Path) -> Answers | str:
        """Start on a folder, without doors, and read everything; return the refusal where it does not start."""
        with _silence():
            try:
                return asyncio.run(self._read(folder))
            except StoreRefused as refused:
                return str(refused)
            except Exception:
                text = traceback.format_exc()[-900:]
                self.findings.add("damage_unnamed", f"the start broke: {text}")
                return text

    async def _read(self, folder: Path) -> Answers:
        core = Core(load_config(self.process.config, {}), folder, lambda *_: None)
        try:
            await core.open()
            cache = core.cache
            answers: Answers = {}
            for name in ("templates", "profiles", "steps", "documents"):
                answers.update({(name, key): value for key, value in getattr(cache, name).items()})
            await _read_trails(core, answers)
            for uuid in sorted(self.load.files):
                answers["file", uuid] = await _read_file(core, uuid)
            return answers
        finally:
            await core.close()


def _sound(base: Path) -> bool:
    db = sqlite3.connect(f"file:{base}?immutable=1", uri=True)
    try:
        return db.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
    except (sqlite3.Error, UnicodeError):
        return False
    finally:
        db.close()


async def _read_trails(core: Core, answers: Answers) -> None:
    """Read audit and feed to their ends, page by page; what comes after a refusal is refused as well."""
    try:
        before = 0
        while rows := (await core.store.audit(AuditQuery(brands=None, before_id=before, limit=100)))[0]:
            answers.update({("audit", row.id): row for row in rows})
            before = rows[-1].id
    except (RowDamaged, sqlite3.Error):
        answers["audit", 0] = REFUSED
    try:
        seq = 0
        while events := await core.store.events_after(seq, 100):
            answers.update({("event", event.seq): event for event in events})
            seq = events[-1].seq
    except (RowDamaged, sqlite3.Error):
        answers["event", 0] = REFUSED


def _answer(found: Answers, key: tuple[str, Any]) -> Any:
    """Return an answer; one of a trail that was refused somewhere is not looked for."""
    return REFUSED if found.get((key[0], 0)) == REFUSED else found.get(key)


async def _read_file(core: Core, uuid: str) -> Any:
    try:
        meta = await core.storage.get(uuid)
        if meta is None:
            return None
        reading = await core.storage.open_read(meta)
        try:
            content = b"".join([bytes(piece) async for piece in reading])
        finally:
            await reading.aclose()
    except StorageError:
        return REFUSED
    return meta.original_name, meta.owner_id, content


@contextlib.contextmanager
def _silence() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def damage(folder: Path, job: Job, tell: Callable[[str], None]) -> Outcome:
    """Do the job."""
    found = Damage(folder, job, tell)
    outcome = found.run(found.fill())
    if not outcome.found:
        found.flips()
        return found.outcome()
    return outcome
