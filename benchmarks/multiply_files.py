"""The files of a multiplied base: a row of its own for each copy, and a further name of the file on the disk."""

import os
import sqlite3
from pathlib import Path

from msgspec.structs import replace

from storagemanager.record import COLUMNS, from_row, to_row

_SELECT = f"SELECT id, {', '.join(COLUMNS)}, row_check, NULL FROM files"
_INSERT = f"INSERT INTO files ({', '.join(COLUMNS)}, row_check) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
_HELD = "INSERT INTO data_key (uuid, wrapped) VALUES (?, x'')"  # a profile has the key


def uuid_of_copy(uuid: str, copy: int) -> str:
    """The uuid of a file's copy."""
    return f"{uuid[:-8]}{copy:08x}"


def multiply(folder: Path, times: int) -> None:
    """Add `times` - 1 copies of every stored file; up to 65,000 names of one file are possible on most disks."""
    db = sqlite3.connect(folder / "bases" / "storage.db")
    files = [from_row(row) for row in db.execute(_SELECT)]
    names = {path.name.partition(".")[0]: path for path in (folder / "storage").glob("*.*")}
    for copy in range(1, times) if files else ():
        copies = [replace(file, uuid=uuid_of_copy(file.uuid, copy)) for file in files]
        db.executemany(_INSERT, map(to_row, copies))
        db.executemany(_HELD, [(file.uuid,) for file in copies])
        for file, made in zip(files, copies, strict=True):
            path = names[file.uuid]
            os.link(path, path.with_name(made.uuid + "".join(path.suffixes)))
    db.commit()
    db.close()
