"""What is looked at after each start: the daemon's own answers, the rows of both bases, and the folder of files."""

import hashlib
import json
import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from torture_load import Line, Load
from torture_model import BRAND, Customer, after

from kycmanager.domain import profile as profiles
from kycmanager.store.sqlite import decode

ZEROS = (
    "lost",
    "doubled",
    "refused",
    "half_effects",
    "feed_gaps",
    "audit_gaps",
    "rows_without_file",
    "orphan_files",
    "temporary_files",
    "wrong_pins",
    "not_started",
    "late_refusals",
    "reads_failed",
    "not_recovered",
    "damage_served",
    "damage_unnamed",
    "clock_faults",
    "errors_logged",
)
"""What is counted, and must be none."""

SAMPLE = 150
_SILENT = frozenset({"document.submitted", "profile.updated"})
"""Kinds of events that have no audit row of their own: that of the command tells of them."""
_RECALCULATED = frozenset(
    {
        "profile.required_level",
        "profile.risk",
        "step.required",
        "step.submitted",
        "step.approved",
        "step.rejected",
        "step.skipped",
    }
)
"""Actions after which a profile is recalculated, once each."""


class Findings(Counter[str]):
    """How much of each was found; the first few are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def add(self, name: str, text: str) -> None:
        self[name] += 1
        if len(self.shown) < 20:
            self.shown.append(f"{name}: {text}"[:600])

    def told(self) -> str:
        """Return how much of each was found, in one line."""
        return ", ".join(f"{count} {name}" for name, count in self.items()) or "all well"


async def ask_everything(
    load: Load, line: Line, tokens: Any, findings: Findings, rng: random.Random, *, whole: bool
) -> None:
    """Compare what the daemon shows of the customers with what was acknowledged; repeat writes under their keys."""
    others = [] if whole else rng.sample(sorted(load.customers), min(SAMPLE, len(load.customers)))
    for number in sorted(load.customers) if whole else sorted(load.touched | set(others)):
        customer = load.customers[number]
        await _repeat_under_way(customer, line, tokens, findings)
        await _compare(customer, line, tokens, findings)
    for number in rng.sample(sorted(load.touched), min(SAMPLE, len(load.touched))):
        await _repeat_answered(load.customers[number], line, tokens, findings)


async def _repeat_under_way(customer: Customer, line: Line, tokens: Any, findings: Findings) -> None:
    """Send what was under way again, under its key: then it is made, once, whether it was made before or not."""
    op = customer.under_way
    if op is None or not op.key:
        return
    status, told = await line.call(op.command, op.data, tokens(op.who, customer.number), op.key)
    if status != 200:
        findings.add("refused", f"{op.command} repeated under its key: {status} {told}")
        return
    customer.state, customer.under_way = after(customer.state, op), None
    customer.acknowledged += 1


async def _repeat_answered(customer: Customer, line: Line, tokens: Any, findings: Findings) -> None:
    """Send an acknowledged write again under its key: the same is answered, and nothing is done."""
    if not customer.keyed:
        return
    op, answered = customer.keyed[-1]
    status, told = await line.call(op.command, op.data, tokens(op.who, customer.number), op.key)
    if status != 200:
        findings.add("lost", f"the key of {op.command}: {status} {told}")
    elif "document" in answered and told["document"]["id"] != answered["document"]["id"]:
        findings.add("doubled", f"{op.command} {op.data}: {told}, not {answered}")
    await _compare(customer, line, tokens, findings, name="doubled")


async def _compare(customer: Customer, line: Line, tokens: Any, findings: Findings, name: str = "lost") -> None:
    data = {"customer_id": customer.number, "brand": BRAND}
    status, told = await line.call("MngGetKycProfile", data, tokens("manager", 0))
    possible = customer.possible()
    if status == 404 and not customer.acknowledged:
        customer.under_way = None
        return
    if status != 200:
        findings.add("lost", f"customer {customer.number}: {status} {told}, believed {possible}")
        return
    found = customer.learn(told)
    if found not in possible:
        findings.add(name, f"customer {customer.number}: {found}, believed {possible}")
    customer.state, customer.under_way = found, None


class Bases:
    """The rows of a data folder, read beside the idle daemon; only what is new since the last look is read again."""

    def __init__(self, folder: Path, *, sealed: bool = False) -> None:
        self.folder = folder
        self.sealed = sealed
        self.seq = 0
        self.audit_id = 0
        self.last: dict[tuple[str, int], dict[str, Any]] = {}
        self.hashed: set[str] = set()

    def look(self, load: Load, findings: Findings, *, started: bool) -> None:
        """Check everything; pins are exact when the daemon has just started, later a repeated write may add one."""
        with _opened(self.folder / "bases" / "kyc.db") as kyc, _opened(self.folder / "bases" / "storage.db") as storage:
            kyc.execute("BEGIN")
            events = self._events(kyc, findings)
            audit = self._audit(kyc, findings)
            _compare_trails(events, audit, findings)
            self._compare_records(kyc, findings)
            _recalculate(kyc, findings)
            self._files(storage, kyc, load, findings, started=started)

    def _events(self, kyc: sqlite3.Connection, findings: Findings) -> list[tuple[str, int, int]]:
        """Follow the feed: no number missing, no version of a record missing; return (kind, record id, kyc_id)."""
        found = []
        for seq, kind, kyc_id, text in kyc.execute(
            "SELECT seq, kind, kyc_id, record FROM event WHERE chunk > ?1 AND seq > ?1 ORDER BY seq",
            (self.seq,),
        ):
            if seq != self.seq + 1:
                findings.add("feed_gaps", f"event {seq} after {self.seq}")
            self.seq = seq
            record = json.loads(text)
            key = kind.partition(".")[0], record["id"]
            before = self.last.get(key, {"version": 1 if key[0] == "profile" else 0})["version"]
            if record["version"] != before + 1 and not (kind == "template.deleted" and record["version"] == before):
                findings.add("feed_gaps", f"{kind} {record['id']}: version {record['version']} after {before}")
            self.last[key] = record
            found.append((kind, record["id"], kyc_id))
        return found

    def _audit(self, kyc: sqlite3.Connection, findings: Findings) -> list[tuple[str, int, int]]:
        found = []
        for row_id, action, kyc_id, step_id, document_id, template_id, details in kyc.execute(
            "SELECT id, action, kyc_id, step_id, document_id, template_id, details FROM audit WHERE id > ? ORDER BY id",
            (self.audit_id,),
        ):
            if row_id != self.audit_id + 1:
                findings.add("audit_gaps", f"row {row_id} after {self.audit_id}")
            self.audit_id = row_id
            number = {"step": step_id, "document": document_id, "template": template_id, "profile": kyc_id}
            found.append((action, number[action.partition(".")[0]], kyc_id))
            if action == "profile.required_level":
                found += [("step.required", attached, 0) for attached in json.loads(details)["steps"]]
        return found

    def _compare_records(self, kyc: sqlite3.Connection, findings: Findings) -> None:
        """Compare every row with the record of its last event."""
        for table in ("template", "profile", "step", "document"):
            cursor = kyc.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            rows = {row[0]: dict(zip(names, row, strict=True)) for row in cursor}
            told = {number: record for (kind, number), record in self.last.items() if kind == table}
            for number in rows.keys() | told.keys():
                row, record = rows.get(number), told.get(number)
                if row is None or record is None:
                    findings.add("half_effects", f"{table} {number}: row {row}, event {record}")
                    continue
                # Sealed answers differ each time; they are compared where the daemon shows them.
                told_names = [name for name in row if name in record and not (self.sealed and name == "answers")]
                differing = [name for name in told_names if _plain(row[name], record[name]) != record[name]]
                if differing:
                    findings.add("half_effects", f"{table} {number} differs from its last event in {differing}")

    def _files(
        self, storage: sqlite3.Connection, kyc: sqlite3.Connection, load: Load, findings: Findings, *, started: bool
    ) -> None:
        rows = {name: row for name, *row in storage.execute(_FILES)}
        folder = self.folder / "storage"
        there = {path.name for path in folder.iterdir() if path.is_file()}
        for name in there - rows.keys():
            findings.add("orphan_files", name)
        for path in (folder / ".tmp").iterdir():
            findings.add("temporary_files", path.name)
        attached = Counter(row[0] for row in kyc.execute("SELECT file_id FROM document"))
        known = set()
        for name, (uuid, checksum, size, pins, sealed) in rows.items():
            known.add(uuid)
            if not self._intact(folder / name, name, checksum, size, sealed=sealed):
                findings.add("rows_without_file", name)
            if load.files.get(uuid, (checksum, size)) != (checksum, size):
                findings.add("lost", f"file {uuid} is not what was uploaded")
            if pins < attached[uuid] or (started and pins > attached[uuid]):
                findings.add("wrong_pins", f"{uuid}: {pins} pins, {attached[uuid]} documents")
        for uuid in (load.files.keys() | attached.keys()) - known:
            findings.add("lost", f"file {uuid}")

    def _intact(self, path: Path, name: str, checksum: str, size: int, *, sealed: bool) -> bool:
        """Hash a file once; later its size is enough, nothing here changes files. What is sealed only the daemon reads."""
        if not path.is_file() or (path.stat().st_size <= size if sealed else path.stat().st_size != size):
            return False
        if not sealed and name not in self.hashed:
            self.hashed.add(name)
            return hashlib.sha256(path.read_bytes()).hexdigest() == checksum
        return True


def _opened(path: Path) -> Any:
    import contextlib

    return contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None))


def _plain(value: Any, like: Any) -> Any:
    return json.loads(value) if isinstance(like, dict) else value


def _compare_trails(events: list[tuple[str, int, int]], audit: list[tuple[str, int, int]], findings: Findings) -> None:
    """Compare feed and audit: each change of a record has its row, each recalculation its event."""
    changed = Counter((kind, number) for kind, number, _ in events if kind not in _SILENT)
    written = Counter((action, number) for action, number, _ in audit if not action.startswith("profile."))
    for difference in ((changed - written) | (written - changed)).items():
        findings.add("audit_gaps", f"{difference[0]}: {difference[1]} more in one of feed and audit")
    updated = Counter(kyc_id for kind, _, kyc_id in events if kind == "profile.updated")
    due = Counter(kyc_id for action, _, kyc_id in audit if kyc_id and action in _RECALCULATED)
    for kyc_id in updated.keys() | due.keys():
        if updated[kyc_id] != due[kyc_id]:
            findings.add("half_effects", f"profile {kyc_id}: {updated[kyc_id]} recalculations, {due[kyc_id]} due")


def _recalculate(kyc: sqlite3.Connection, findings: Findings) -> None:
    """Recalculate every profile from its steps, and compare; the view of customers shows the same."""
    steps: dict[int, list[Any]] = {}
    decoder = decode.Decoder()
    held = {profile.id: profile for profile in decoder.profiles(kyc.execute(_select("profile", _PROFILE)))}
    for step in decoder.steps(kyc.execute(_select("step", _STEP))):
        steps.setdefault(step.kyc_id, []).append(step)
    with_documents = {row[0] for row in kyc.execute("SELECT DISTINCT kyc_id FROM document")}
    view = {row[0]: row[1:] for row in kyc.execute(_VIEW)}
    for profile in held.values():
        fresh = profiles.recalculate(
            profile,
            steps.get(profile.id, ()),
            has_documents=profile.id in with_documents,
            review_due=False,
            now=profile.updated_time,
        )
        if (fresh.status, fresh.current_level) != (profile.status, profile.current_level):
            findings.add("half_effects", f"{profile} should have {fresh.status}, {fresh.current_level}")
        shown = (profile.customer_id, profile.status, profile.current_level, profile.required_level, profile.risk_level)
        if view.get(profile.id) != shown:
            findings.add("half_effects", f"the view shows {view.get(profile.id)} of {profile}")
    if view.keys() != held.keys():
        findings.add("half_effects", "the view has other profiles")


_PROFILE = (
    "id, customer_id, brand, status, current_level, required_level, risk_level, created_time, updated_time, version"
)
_STEP = (
    "id, kyc_id, template_id, template_version, level, code, name, step_type, required, explicit, status, submitted_time,"
    " created_time, updated_time, reviewed_time, reviewed_by, reason, comment, expire_time, version, answers"
)
_FILES = """
SELECT
    files.uuid || '.' || extension || iif(data_key.uuid IS NULL, '', '.sealed'),
    files.uuid, checksum, file_size, pins, data_key.uuid IS NOT NULL
FROM files LEFT JOIN data_key USING (uuid)
"""
_VIEW = (
    "SELECT kyc_profile_id, customer_id, kyc_status, kyc_current_level, kyc_required_level, risk_level FROM customer"
)


def _select(table: str, columns: str) -> str:
    return f"SELECT {columns} FROM {table} ORDER BY id"
