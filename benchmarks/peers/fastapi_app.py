"""The service a user would write: FastAPI on uvicorn over SQLite, JSON built for each request."""

import json
import os
import secrets
import sqlite3
import threading
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, UploadFile
from pydantic import BaseModel

from benchmarks.peers import intake

BASE = os.environ["BENCH_BASE"]
TOKEN = os.environ["BENCH_TOKEN"]
FILES = Path(os.environ["BENCH_FILES"])
JSON_COLUMNS = ("requirements", "form_schema", "answers")

app = FastAPI()
local = threading.local()
writing = threading.Lock()


class Decision(BaseModel):
    """The body of an approval."""

    reason: str = ""
    comment: str = ""


def base() -> sqlite3.Connection:
    """This thread's connection."""
    if not hasattr(local, "base"):
        local.base = sqlite3.connect(BASE, isolation_level=None, timeout=30)
        local.base.row_factory = sqlite3.Row
        local.base.execute("PRAGMA synchronous=FULL")
    return local.base


def authorized(authorization: Annotated[str, Header()] = "") -> None:
    """A comparison only: cheaper than the signature that a real service checks."""
    if not secrets.compare_digest(authorization, TOKEN):
        raise HTTPException(401, "PERMISSION_DENIED")


def plain(row: sqlite3.Row) -> dict[str, Any]:
    """A row as a record."""
    record = dict(row)
    for column in JSON_COLUMNS:
        if column in record:
            record[column] = json.loads(record[column])
    return record


def rows(statement: str, *values: Any) -> list[dict[str, Any]]:
    """All rows of a query."""
    return [plain(row) for row in base().execute(statement, values)]


@app.get("/manager/kyc/profiles/{number}", dependencies=[Depends(authorized)])
def read_profile(number: int) -> dict[str, Any]:
    """One profile with its steps and documents."""
    found = rows("SELECT * FROM profiles WHERE id = ?", number)
    if not found:
        raise HTTPException(404, "RET_NOT_FOUND")
    return {
        "profile": found[0],
        "steps": rows("SELECT * FROM steps WHERE kyc_id = ?", number),
        "documents": rows("SELECT * FROM documents WHERE kyc_id = ?", number),
    }


@app.get("/manager/kyc/steps/{number}", dependencies=[Depends(authorized)])
def read_step(number: int) -> dict[str, Any]:
    """One step with its documents."""
    found = rows("SELECT * FROM steps WHERE id = ?", number)
    if not found:
        raise HTTPException(404, "RET_NOT_FOUND")
    return {"step": found[0], "documents": rows("SELECT * FROM documents WHERE step_id = ?", number)}


@app.get("/manager/kyc/profiles", dependencies=[Depends(authorized)])
def list_profiles(brand: str, status: int = -1, limit: int = 100) -> dict[str, Any]:
    """Profiles of a brand."""
    found = rows(
        "SELECT * FROM profiles WHERE brand = ? AND (? = -1 OR status = ?) ORDER BY id LIMIT ?",
        brand,
        status,
        status,
        limit,
    )
    count = base().execute(
        "SELECT count(*) FROM profiles WHERE brand = ? AND (? = -1 OR status = ?)", (brand, status, status)
    )
    return {"rows": found, "count": count.fetchone()[0], "next": None}


@app.post("/manager/kyc/steps/{number}/approve", dependencies=[Depends(authorized)])
def approve_step(number: int, decision: Decision) -> dict[str, Any]:
    """One transaction: step, profile, audit, event."""
    with writing:
        base().execute("BEGIN IMMEDIATE")
        try:
            _approve(number, decision.reason, int(time.time()))
        except BaseException:
            base().execute("ROLLBACK")
            raise
        base().execute("COMMIT")
    return {"accepted": True}


def _approve(number: int, reason: str, now: int) -> None:
    found = rows("SELECT * FROM steps WHERE id = ?", number)
    if not found:
        raise HTTPException(404, "RET_NOT_FOUND")
    step = found[0]
    base().execute(
        "UPDATE steps SET status = 2, reviewed_time = ?, updated_time = ?, reason = ?, version = version + 1 "
        "WHERE id = ?",
        (now, now, reason, number),
    )
    states = [row["status"] for row in rows("SELECT status FROM steps WHERE kyc_id = ?", step["kyc_id"])]
    status = 3 if all(state == 2 for state in states) else 2
    base().execute(
        "UPDATE profiles SET status = ?, updated_time = ?, version = version + 1 WHERE id = ?",
        (status, now, step["kyc_id"]),
    )
    base().execute(
        "INSERT INTO audit (time, kyc_id, step_id, action, actor_id, details) VALUES (?, ?, ?, ?, ?, ?)",
        (now, step["kyc_id"], number, "step.approved", 1, json.dumps({"old": step["status"], "new": 2})),
    )
    base().execute(
        "INSERT INTO events (time, brand, customer_id, kind, payload) VALUES (?, ?, ?, ?, ?)",
        (now, step["brand"], step["customer_id"], "step.approved", json.dumps({"id": number, "status": 2})),
    )


@app.post("/upload", dependencies=[Depends(authorized)])
def upload(file: UploadFile) -> dict[str, Any]:
    """A file that was looked through, kept, hashed and synced."""
    try:
        number, size, checksum = intake.keep(file.file, FILES)
    except intake.RefusedError as error:
        raise HTTPException(415, str(error)) from error
    with writing:
        base().execute("INSERT INTO files VALUES (?, ?, ?, ?, ?)", (number, file.filename, size, checksum, time.time()))
    return {"file_id": number, "file_size": size, "checksum": checksum}
