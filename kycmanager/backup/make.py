"""Making a backup: the bases, as of one moment, then the files they tell of; visible when it is whole.

Files that go while they are copied, for they are erased or sealed, are let go of: the bases are copied once more.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kycmanager import __version__
from kycmanager.backup.contents import Contents, file_faults, read_contents
from kycmanager.backup.copying import copy_file, entry_of, flush_folder, flush_folders
from kycmanager.backup.manifest import (
    FILES,
    FORMAT,
    KEYS,
    KYC,
    STORAGE,
    BackupError,
    Entry,
    Manifest,
    read_manifest,
    write_manifest,
)
from kycmanager.ports import Progress
from kycmanager.store.sqlite.copy import copy_base, copy_together, undisturbed
from kycmanager.store.sqlite.heads import HEADS
from kycmanager.store.sqlite.prove import Fault
from storagemanager import FileMeta, StorageError
from storagemanager.offline import forget_rows

PARTIAL = "partial"
"""Part of the name of a folder that is no backup yet."""

ROUNDS_MAX = 20
"""How often the bases are copied: a round has to copy only the files that came since the one before."""

_ERASING_SECONDS = (0.1, 0.4, 1.5, 5.0)
"""Waits for an erasure to empty the records of the files it has removed."""


class Unfit(BackupError):  # noqa: N818 - named for what the data is
    """The data cannot be backed up as it is; `faults` are all that was found."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("what is named above must be mended first; nothing was written")
        self.faults = faults


def back_up(data_dir: Path, target: Path, *, now: int, progress: Progress, since: Path | None = None) -> Manifest:
    """Write a backup of a data folder to `target`, a new folder; a daemon on it goes on working.

    What was acknowledged before the call is in it. `since` is an earlier backup on the same disk: files it has are
    linked to, not copied. Raises BackupError, Unfit, StoreRefused, OSError; then nothing is left behind.
    """
    if target.exists() or target.is_symlink():
        raise BackupError(f"{target} is there already; name a new folder with --to")
    if not (data_dir / KYC).exists():
        raise BackupError(f"{data_dir / KYC} is missing; name the data folder with --data")
    earlier = _earlier(since)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.{PARTIAL}-", dir=target.parent))
    try:
        manifest = _fill(data_dir, partial, now, progress, earlier)
        partial.rename(target)
        flush_folder(target.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return manifest


def copy_keys(data_dir: Path, file: Path) -> bool:
    """Replace `file` by a copy of the base of keys; False where the data folder has none. Raises StoreRefused, OSError.

    To be done after the backup: then it has every key the backup needs, unless its owner was erased.
    """
    if not (data_dir / KEYS).exists():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{PARTIAL}")
    fresh.unlink(missing_ok=True)
    try:
        with undisturbed(data_dir / KYC) as alone:
            copy_base(data_dir / KEYS, fresh, alone=alone)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    flush_folder(file.parent)
    return True


def _fill(data_dir: Path, partial: Path, now: int, progress: Progress, earlier: "_Earlier") -> Manifest:
    for folder in (KYC.parent, FILES, HEADS.parent):
        (partial / folder).mkdir()
    copied: dict[str, Entry] = {}
    told: set[Fault] = set()
    for _ in range(ROUNDS_MAX):
        contents = _copy_bases(data_dir, partial, progress)
        faults = _copy_files(data_dir, partial, contents, copied, progress, earlier)
        # Bytes stay as they are under their name: what a later copy of the bases tells of still was wrong before.
        if told.issuperset(faults):
            break
        told.update(faults)
    heads = [HEADS] if (partial / HEADS).exists() else []
    manifest = Manifest(
        format=FORMAT,
        program=f"kycmanager {__version__}",
        time=now,
        audit=contents.head.audit_id,
        link=contents.head.link,
        hash=contents.head.hash.hex(),
        counts=contents.counts,
        files=[*(entry_of(partial, str(path)) for path in (*heads, KYC, STORAGE)), *copied.values()],
        faults=faults,
    )
    write_manifest(partial, manifest)
    flush_folders(partial)
    return manifest


def _copy_bases(data_dir: Path, partial: Path, progress: Progress) -> Contents:
    """Copy heads and bases, over those of the round before; raises Unfit."""
    for pause in (*_ERASING_SECONDS, 0.0):
        for path in (HEADS, KYC, STORAGE):
            (partial / path).unlink(missing_ok=True)
        with undisturbed(data_dir / KYC) as alone:
            # The heads before the base, which then has them all.
            if (data_dir / HEADS).exists():
                copy_file(data_dir / HEADS, partial, str(HEADS))
            copy_together([(data_dir / base, partial / base) for base in (KYC, STORAGE)], progress, alone=alone)
        contents = read_contents(partial, progress)
        if alone or not contents.erasing:
            break
        time.sleep(pause)
    if contents.faults:
        raise Unfit(contents.faults)
    return contents


def _copy_files(
    data_dir: Path,
    partial: Path,
    contents: Contents,
    copied: dict[str, Entry],
    progress: Progress,
    earlier: "_Earlier",
) -> list[Fault]:
    """Copy the stored files that are not `copied` yet, and remove those that went; return what is wrong with them.

    Those that nobody had attached may have run out meanwhile, and are let go.
    """
    for name in copied.keys() - {meta.disk_name for meta in contents.metas.values()}:
        del copied[name]
        (partial / FILES / name).unlink()
    gone: list[str] = []
    for done, meta in enumerate(list(contents.metas.values()), 1):
        try:
            if meta.disk_name not in copied:
                copied[meta.disk_name] = _copied(data_dir, partial, meta, earlier)
        except FileNotFoundError:
            if not meta.attached and meta.uuid not in contents.held:
                gone.append(meta.uuid)
                del contents.metas[meta.uuid]
        progress("files", done, max(done, len(contents.metas) + len(gone)))
    if gone:
        _forget(partial / STORAGE, gone)
        contents.counts["stored"] -= len(gone)
    return file_faults(contents.metas.values(), {name: (each.size, each.sha256) for name, each in copied.items()})


def _forget(base: Path, gone: list[str]) -> None:
    try:
        forget_rows(base, gone)
    except StorageError as error:
        raise BackupError(f"{error.reason}; check the disk of the backup and try again") from None


def _copied(data_dir: Path, partial: Path, meta: FileMeta, earlier: "_Earlier") -> Entry:
    path = str(FILES / meta.disk_name)
    source = data_dir / path
    return earlier(source, partial, path) or copy_file(source, partial, path)


_Earlier = Callable[[Path, Path, str], Entry | None]
"""`earlier(source, partial, path)`: link a file from an earlier backup, None where it is not the same or not there."""


def _earlier(since: Path | None) -> _Earlier:
    if since is None:
        return lambda _source, _partial, _path: None
    manifest = read_manifest(since)
    known = {entry.path: entry for entry in manifest.files}

    def link(source: Path, partial: Path, path: str) -> Entry | None:
        entry, found = known.get(path), source.stat(follow_symlinks=False)
        if entry is None or entry.size != found.st_size or max(found.st_mtime, found.st_ctime) >= manifest.time:
            return None
        try:
            os.link(since / path, partial / path)
        except OSError:  # another disk, or one without links
            return None
        return entry

    return link
