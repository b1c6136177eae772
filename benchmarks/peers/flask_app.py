"""An upload as Flask users write it."""

import os
from pathlib import Path
from typing import Any

from flask import Flask, abort, request

from benchmarks.peers import intake

FILES = Path(os.environ["BENCH_FILES"])
TOKEN = os.environ["BENCH_TOKEN"]

app = Flask(__name__)


@app.post("/upload")
def upload() -> dict[str, Any]:
    """A file that was looked through, kept, hashed and synced."""
    if request.headers.get("Authorization") != TOKEN:
        abort(401)
    try:
        number, size, checksum = intake.keep(request.files["file"].stream, FILES)
    except intake.RefusedError as error:
        abort(415, str(error))
    return {"file_id": number, "file_size": size, "checksum": checksum}
