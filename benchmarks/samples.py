"""The records that the peers serve: profiles of four steps in the product's shape, and a picture to upload."""

import io
import json
import random
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BRAND = "bench"
STEPS = 4
NOW = 1_760_000_000
# fmt: off
STEP_COLUMNS = [
    "id", "customer_id", "kyc_id", "brand", "template_id", "level", "code", "name", "step_type", "required", "status",
    "requirements", "form_schema", "answers", "submitted_time", "updated_time", "created_time", "reviewed_time",
    "reviewed_by", "reason", "comment", "expire_time", "template_version", "version",
]
PROFILE_COLUMNS = [
    "id", "customer_id", "brand", "status", "current_level", "required_level", "risk_level", "created_time",
    "updated_time", "version",
]
DOCUMENT_COLUMNS = [
    "id", "customer_id", "kyc_id", "step_id", "brand", "type", "status", "file_id", "file_name", "content_type",
    "file_size", "checksum", "created_time", "updated_time", "reviewed_time", "reviewed_by", "reason", "comment",
    "expire_time", "version",
]
# fmt: on
JSON_COLUMNS = ("requirements", "form_schema", "answers")


def template(number: int) -> dict[str, Any]:
    """A template of a manual step, as MngAddKycStepTemplate takes it."""
    return {
        "brand": BRAND,
        "level": 1,
        "code": f"manual_check_{number}",
        "name": f"Manual check {number}",
        "description": "A reviewer looks at the customer's papers and decides.",
        "step_type": 4,
        "required": 1,
        "sort_index": number,
        "requirements": {"note": "two people"},
        "form_schema": {},
    }


def profile(number: int) -> dict[str, Any]:
    """The profile of customer `number`, counted from 1."""
    risk = 3 if number % 10 == 0 else 0
    return dict(zip(PROFILE_COLUMNS, (number, number, BRAND, 2, 0, 1, risk, NOW, NOW, 1), strict=True))


def steps(number: int) -> Iterator[dict[str, Any]]:
    """The four steps of customer `number`."""
    for at in range(1, STEPS + 1):
        base = template(at)
        own = {
            "id": (number - 1) * STEPS + at,
            "customer_id": number,
            "kyc_id": number,
            "brand": BRAND,
            "template_id": at,
            "status": 0,
            "answers": {},
            "updated_time": NOW,
            "created_time": NOW,
            "template_version": 1,
            "version": 1,
        }
        yield {column: own.get(column, base.get(column)) for column in STEP_COLUMNS}


def reply(number: int) -> dict[str, Any]:
    """What a profile read answers."""
    return {"profile": profile(number), "steps": list(steps(number)), "documents": []}


def fill(base: Path, profiles: int) -> None:
    """The peers' SQLite base: profile, steps and documents tables with the indexes such a service has."""
    connection = sqlite3.connect(base)
    connection.execute("PRAGMA journal_mode=WAL")
    for table, columns in (("profiles", PROFILE_COLUMNS), ("steps", STEP_COLUMNS), ("documents", DOCUMENT_COLUMNS)):
        names = ", ".join(columns).replace("id,", "id INTEGER PRIMARY KEY,", 1)
        connection.execute(f"CREATE TABLE {table} ({names})")
    for table, column in (("steps", "kyc_id"), ("documents", "kyc_id"), ("profiles", "brand, status")):
        connection.execute(f"CREATE INDEX {table}_by ON {table} ({column})")
    connection.execute("CREATE TABLE audit (id INTEGER PRIMARY KEY, time, kyc_id, step_id, action, actor_id, details)")
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, time, brand, customer_id, kind, payload)")
    connection.execute("CREATE TABLE files (id TEXT PRIMARY KEY, name, size, checksum, time)")
    _insert(connection, "profiles", PROFILE_COLUMNS, (profile(i) for i in range(1, profiles + 1)))
    _insert(connection, "steps", STEP_COLUMNS, (step for i in range(1, profiles + 1) for step in steps(i)))
    connection.commit()
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, columns: list[str], rows: Iterator[dict[str, Any]]) -> None:
    marks = ", ".join("?" for _ in columns)
    connection.executemany(
        f"INSERT INTO {table} VALUES ({marks})",
        ([_plain(row[column]) for column in columns] for row in rows),
    )


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


def picture(seed: int, size: int = 1_000_000) -> bytes:
    """A whole PNG of about `size` bytes that does not compress."""
    width = 640
    height = size // (width * 3 + 1)
    pixels = random.Random(seed).randbytes(width * 3 * height)
    rows = b"".join(b"\0" + pixels[at : at + width * 3] for at in range(0, len(pixels), width * 3))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 0)) + _chunk(b"IEND", b"")
    )


def jpeg(seed: int) -> bytes:
    """A JPEG of about 1 MB; noise, so that every block has all its coefficients."""
    return _drawn(seed, "JPEG")


def pdf(seed: int) -> bytes:
    """A PDF of about 1 MB: one page that shows such a picture."""
    return _drawn(seed, "PDF")


def _drawn(seed: int, kind: str) -> bytes:
    from PIL import Image  # noqa: PLC0415 - few measurements draw

    width, height = 1200, 1100
    image = Image.frombytes("RGB", (width, height), random.Random(seed).randbytes(width * height * 3))
    output = io.BytesIO()
    image.save(output, kind, quality=85)
    return output.getvalue()


def table(size: int, seed: int = 0) -> bytes:
    """A CSV text of `size` bytes."""
    chosen = random.Random(seed)
    rows = [
        f"{i},{chosen.getrandbits(64):016x},{chosen.random():.6f},a payment of customer {i}\n" for i in range(20_000)
    ]
    text = "number,reference,amount,purpose\n" + "".join(rows)
    return (text.encode() * (size // len(text) + 1))[:size]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
