"""Bringing a backup back: all of it is checked in a folder beside, and becomes the data folder when it is whole."""

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from kycmanager.backup.contents import file_faults, read_contents
from kycmanager.backup.copying import copy_file, flush_folder, flush_folders
from kycmanager.backup.manifest import FILES, KEYS, NAME, BackupError, Manifest, read_manifest
from kycmanager.ports import Progress
from kycmanager.store.sqlite.copy import copy_base
from kycmanager.store.sqlite.heads import HEADS, HeadFile, HeadLine
from kycmanager.store.sqlite.prove import Fault


class Broken(BackupError):  # noqa: N818 - named for what the backup is
    """A backup that is not what it was; `faults` are all that was found."""

    def __init__(self, folder: Path, faults: list[Fault]) -> None:
        super().__init__(f"{folder} is broken, see above; nothing was restored: name another backup")
        self.faults = faults


def restore(
    source: Path,
    data_dir: Path,
    *,
    now: int,
    progress: Progress,
    keys: Path | None = None,
    despite_faults: bool = False,
) -> Manifest:
    """Make a data folder of a backup; `data_dir` must be missing or empty. Returns the manifest.

    `keys` is a copy of the base of keys to put there. `despite_faults`: without the files that were damaged or missing
    before the backup was made. Raises BackupError, Broken, StoreRefused, OSError; then nothing is left behind.
    """
    manifest = read_manifest(source)
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise BackupError(f"{data_dir} is not empty; name a missing or empty folder with --data")
    if keys is not None and not keys.is_file():
        raise BackupError(f"{keys} is no file; name with --keys what `kycmanager backup --keys` has written")
    known = {what for what, _ in manifest.faults}
    if not despite_faults:
        _demand_whole(source, [(what, f"{fault}, before the backup already") for what, fault in manifest.faults])
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{data_dir.name}.restoring-", dir=data_dir.parent))
    try:
        _demand_whole(source, [fault for fault in _fill(source, fresh, manifest, progress) if fault[0] not in known])
        if keys is not None:
            copy_base(keys, fresh / KEYS)
        _tell_head(fresh, manifest, now)
        flush_folders(fresh)
        _publish(fresh, data_dir)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return manifest


def _fill(source: Path, fresh: Path, manifest: Manifest, progress: Progress) -> list[Fault]:
    """Copy everything and return all that is wrong with it."""
    faults = _strangers(source, manifest)
    held: dict[str, tuple[int, str]] = {}
    for done, entry in enumerate(manifest.files, 1):
        if not _is_inside(entry.path):
            faults.append((entry.path, "is no path of a backup"))
            continue
        (fresh / entry.path).parent.mkdir(parents=True, exist_ok=True)
        try:
            copied = copy_file(source / entry.path, fresh, entry.path)
        except FileNotFoundError:
            faults.append((entry.path, "is missing"))
        except OSError as error:
            if not (source / entry.path).exists():
                raise  # it is the new folder that cannot be written
            faults.append((entry.path, f"cannot be copied: {error.strerror}"))
        else:
            if copied != entry:
                faults.append((entry.path, "is damaged: its hash is not that of the manifest"))
            held[PurePosixPath(entry.path).name] = (copied.size, copied.sha256)
        progress("copied", done, len(manifest.files))
    contents = read_contents(fresh, progress)
    told = {what for what, _ in faults}
    faults += [fault for fault in contents.faults if fault[0] not in told]
    faults += [fault for fault in file_faults(contents.metas.values(), held) if fault[0] not in told]
    head = contents.head
    if not contents.faults and (head.link, head.hash.hex()) != (manifest.link, manifest.hash):
        faults.append(("audit", f"ends in link {head.link}, not in link {manifest.link} as the manifest tells"))
    return faults


def _demand_whole(source: Path, faults: list[Fault]) -> None:
    if faults:
        raise Broken(source, faults)


def _strangers(source: Path, manifest: Manifest) -> list[Fault]:
    listed = {entry.path for entry in manifest.files} | {NAME}
    there = {str(path.relative_to(source)) for path in source.rglob("*") if not path.is_dir()}
    return [(path, "is not in the manifest") for path in sorted(there - listed)]


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and ".." not in parts and parts[0] in {"bases", str(FILES), str(HEADS.parent)}


def _tell_head(fresh: Path, manifest: Manifest, now: int) -> None:
    """Write down that the audit goes on from here, and why."""
    heads = HeadFile(fresh / HEADS)
    heads.create()
    note = f"restored from the backup of {manifest.time}"
    heads.append(HeadLine(now, manifest.audit, manifest.link, manifest.hash, note))


def _publish(fresh: Path, data_dir: Path) -> None:
    try:
        fresh.rename(data_dir)
    except OSError as error:
        raise BackupError(
            f"{data_dir} cannot be put in place ({error.strerror}); is it a mount point? Name a folder below it",
        ) from None
    flush_folder(data_dir.parent)
