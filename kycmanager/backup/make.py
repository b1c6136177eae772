"""Making a backup: bases first, as of one moment each, then the files they tell of; visible when it is whole."""

import os
import shutil
import tempfile
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
from kycmanager.store.sqlite.copy import copy_base, undisturbed
from kycmanager.store.sqlite.heads import HEADS
from kycmanager.store.sqlite.prove import Fault
from storagemanager import FileMeta, StorageError
from storagemanager.offline import forget_rows

PARTIAL = "partial"
"""Part of the name of a folder that is no backup yet."""


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
        with undisturbed(data_dir / KYC):
            copy_base(data_dir / KEYS, fresh)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    flush_folder(file.parent)
    return True


def _fill(data_dir: Path, partial: Path, now: int, progress: Progress, earlier: "_Earlier") -> Manifest:
    for folder in (KYC.parent, FILES, HEADS.parent):
        (partial / folder).mkdir()
    entries = []
    with undisturbed(data_dir / KYC):
        # The heads before the base, which then has them all; the records before the files that they tell of.
        if (data_dir / HEADS).exists():
            entries.append(copy_file(data_dir / HEADS, partial, str(HEADS)))
        for done, base in enumerate((KYC, STORAGE), 1):
            copy_base(data_dir / base, partial / base)
            progress("bases", done, 2)
    contents = read_contents(partial, progress)
    if contents.faults:
        raise Unfit(contents.faults)
    files, faults = _copy_files(data_dir, partial, contents, progress, earlier)
    entries += [entry_of(partial, str(base)) for base in (KYC, STORAGE)]
    manifest = Manifest(
        format=FORMAT,
        program=f"kycmanager {__version__}",
        time=now,
        audit=contents.head.audit_id,
        link=contents.head.link,
        hash=contents.head.hash.hex(),
        counts=contents.counts,
        files=[*entries, *files],
        faults=faults,
    )
    write_manifest(partial, manifest)
    flush_folders(partial)
    return manifest


def _copy_files(
    data_dir: Path, partial: Path, contents: Contents, progress: Progress, earlier: "_Earlier"
) -> tuple[list[Entry], list[Fault]]:
    """Copy the stored files; those that nobody had attached may have run out meanwhile, and are let go."""
    entries: dict[str, Entry] = {}
    gone: list[str] = []
    for done, meta in enumerate(list(contents.metas.values()), 1):
        try:
            entries[meta.disk_name] = _copied(data_dir, partial, meta, earlier)
        except FileNotFoundError:
            if not meta.attached and meta.uuid not in contents.held:
                gone.append(meta.uuid)
                del contents.metas[meta.uuid]
        progress("files", done, max(done, len(contents.metas) + len(gone)))
    if gone:
        _forget(partial / STORAGE, gone)
        contents.counts["stored"] -= len(gone)
    held = {name: (entry.size, entry.sha256) for name, entry in entries.items()}
    return list(entries.values()), file_faults(contents.metas.values(), held)


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
