"""What FastAPI and Flask do with an upload, as their users would write it: look at it, decode it, hash, write, sync."""

import codecs
import hashlib
import os
import uuid
from pathlib import Path
from typing import BinaryIO

import magic
from PIL import Image

CHUNK = 1 << 20
HEAD = 2048
"""What libmagic asks for."""


class RefusedError(Exception):
    """The bytes are not what is taken, or not whole."""


def keep(source: BinaryIO, folder: Path) -> tuple[str, int, str]:
    """Keep a file that is whole; return its name, size and SHA-256. It lies on the disk under its name when this ends.

    The peers do what the product does, in one process and with no bounds: the type is read from the bytes, every pixel
    of a picture and every character of a text is decoded, the file and its folder are synced.
    """
    name, digest, size = uuid.uuid4().hex, hashlib.sha256(), 0
    kind = magic.from_buffer(source.read(HEAD), mime=True)
    source.seek(0)
    text = codecs.getincrementaldecoder("utf-8")() if kind in ("text/csv", "text/plain") else None
    part = folder / f"{name}.part"
    try:
        with part.open("wb") as output:
            while chunk := source.read(CHUNK):
                output.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                if text is not None:
                    text.decode(chunk)
            if text is not None:
                text.decode(b"", final=True)
            else:
                source.seek(0)
                with Image.open(source) as picture:
                    picture.load()
            output.flush()
            os.fsync(output.fileno())
    except (UnicodeDecodeError, OSError) as error:
        part.unlink()
        raise RefusedError(f"{kind}: {error}") from error
    part.rename(folder / f"{name}.{kind.rpartition('/')[2]}")
    _sync(folder)
    return name, size, digest.hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
