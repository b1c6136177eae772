"""Whether the bases and files of a folder belong together: rows, audit, and a file for each that is told of."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from kycmanager.backup.manifest import FILES, KYC, STORAGE
from kycmanager.ports import Progress, StoreRefused
from kycmanager.store.sqlite.chain import NO_LINK, Head
from kycmanager.store.sqlite.heads import HEADS
from kycmanager.store.sqlite.offline import prove_audit
from kycmanager.store.sqlite.prove import Fault
from kycmanager.store.sqlite.survey import survey
from storagemanager import FileMeta, StorageError
from storagemanager.offline import stored_rows


class Contents(Struct):
    """What the bases of a folder tell: `held` are the uuids of documents' files, with the document's id.

    `erasing`: all that is wrong is that documents point to files without a row, as it is while one is erased.
    """

    counts: dict[str, int] = {}
    head: Head = NO_LINK
    held: dict[str, int] = {}
    metas: dict[str, FileMeta] = {}
    faults: list[Fault] = []
    erasing: bool = False


def read_contents(folder: Path, progress: Progress) -> Contents:
    """Check the bases of a folder nobody has open, and what they tell of each other."""
    contents = Contents()
    try:
        found = survey(folder / KYC, progress)
        proof = prove_audit(folder / KYC, folder / HEADS, progress)
    except StoreRefused as refused:
        contents.faults.append((str(KYC), str(refused)))
    else:
        contents.counts, contents.held = found.counts, found.files
        contents.head = proof.head
        contents.faults += [*found.faults, *proof.faults]
    try:
        rows = stored_rows(folder / STORAGE)
    except StorageError as error:
        contents.faults.append((str(STORAGE), error.reason))
        return contents
    contents.metas = {uuid: meta for _, uuid, meta in rows if meta is not None}
    contents.faults += [(f"stored file {uuid}", "its row is damaged") for _, uuid, meta in rows if meta is None]
    contents.counts["stored"] = len(rows)
    known = {uuid for _, uuid, _ in rows}
    lost = [
        (f"document {document}", f"points to the stored file {uuid}, which has no row")
        for uuid, document in contents.held.items()
        if uuid not in known
    ]
    contents.erasing = bool(lost) and not contents.faults
    contents.faults += lost
    return contents


def file_faults(metas: Iterable[FileMeta], held: dict[str, tuple[int, str]]) -> list[Fault]:
    """Return what is wrong with stored files; `held` tells of each on the disk its bytes and their hash, by name.

    Sealed files are as they were sealed when their length is right: the hash is that of what was received.
    """
    faults = []
    for meta in metas:
        found = held.get(meta.disk_name)
        if found is None:
            faults.append((str(FILES / meta.disk_name), "is missing"))
        elif found[0] != meta.disk_size or (meta.data_key is None and found[1] != meta.checksum):
            faults.append((str(FILES / meta.disk_name), "is damaged: it is not what was received"))
    return faults
