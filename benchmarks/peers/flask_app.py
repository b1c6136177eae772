"""An upload as Flask users write it: the request's file read in pieces, hashed, written and synced."""

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any

from flask import Flask, abort, request

FILES = Path(os.environ["BENCH_FILES"])
TOKEN = os.environ["BENCH_TOKEN"]
CHUNK = 1 << 20

app = Flask(__name__)


@app.post("/upload")
def upload() -> dict[str, Any]:
    """A file kept, hashed and synced."""
    if request.headers.get("Authorization") != TOKEN:
        abort(401)
    source = request.files["file"]
    number = uuid.uuid4().hex
    digest = hashlib.sha256()
    with (FILES / f"{number}.png").open("wb") as output:
        while chunk := source.stream.read(CHUNK):
            output.write(chunk)
            digest.update(chunk)
        output.flush()
        os.fsync(output.fileno())
    return {"file_id": number, "checksum": digest.hexdigest()}
