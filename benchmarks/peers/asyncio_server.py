"""A plain TCP server as one writes it first: asyncio streams, json, and SQLite read for each request."""

import asyncio
import json
import os
import secrets
import sqlite3
from typing import Any

BASE = sqlite3.connect(os.environ["BENCH_BASE"])
BASE.row_factory = sqlite3.Row
TOKEN = os.environ["BENCH_TOKEN"]
JSON_COLUMNS = ("requirements", "form_schema", "answers")


def rows(statement: str, number: int) -> list[dict[str, Any]]:
    """All rows of a query by one number."""
    found = []
    for row in BASE.execute(statement, (number,)):
        record = dict(row)
        for column in JSON_COLUMNS:
            if column in record:
                record[column] = json.loads(record[column])
        found.append(record)
    return found


def read_profile(data: dict[str, Any]) -> dict[str, Any] | None:
    """One profile with its steps and documents."""
    found = rows("SELECT * FROM profiles WHERE id = ?", data["id"])
    if not found:
        return None
    return {
        "profile": found[0],
        "steps": rows("SELECT * FROM steps WHERE kyc_id = ?", data["id"]),
        "documents": rows("SELECT * FROM documents WHERE kyc_id = ?", data["id"]),
    }


def answer(line: bytes) -> dict[str, Any]:
    """The reply to one request line."""
    request = json.loads(line)
    if not secrets.compare_digest(request["__token"], TOKEN):
        return {"extID": request["extID"], "status": 401, "error": "PERMISSION_DENIED"}
    found = read_profile(request["data"]) if request["command"] == "MngGetKycProfile" else None
    if found is None:
        return {"extID": request["extID"], "status": 404, "error": "RET_NOT_FOUND"}
    return {"extID": request["extID"], "status": 200, "data": found}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    while line := await reader.readline():
        writer.write(json.dumps(answer(line)).encode() + b"\r\n")
        await writer.drain()
    writer.close()


async def main() -> None:
    """Serve until stopped."""
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["BENCH_PORT"]))
    await server.serve_forever()


asyncio.run(main())
