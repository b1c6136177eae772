"""Builds that are wrong on purpose, for the harness alone: `wrong_build.py NAME serve ...` is the command line of one.

A harness that does not notice these would not notice the same fault in the product.
"""

import asyncio
import sys
from typing import Any

import msgspec

from kycmanager.__main__ import main
from kycmanager.store.sqlite import schema, write
from kycmanager.store.strand import CommandStrand, Work
from storagemanager import Upload, atomic, base


def answer_before_commit() -> None:
    """Make the strand publish and answer first, and commit afterwards."""

    async def run(self: CommandStrand, jobs: list[Any]) -> list[Any]:
        overlay = self._overlay()
        results = await self._handle(overlay, jobs)
        if overlay.changed:
            batch = overlay.batch()
            self._publish(overlay)
            for job, result in zip(jobs, results, strict=True):
                job.finish(result)
            await asyncio.sleep(0.01)  # as long as a slow disk takes
            await self._store.commit(batch)
            jobs[:] = [Work(job.run, lambda _result: None) for job in jobs]
        return results

    CommandStrand._run = run  # type: ignore[method-assign]


def forget_the_audit() -> None:
    """Drop the first audit row of every batch that has several."""
    write_feed = write._write_feed

    def forgetful(db: Any, batch: Any, head: Any) -> Any:
        kept = batch.audit[1:] if len(batch.audit) > 1 else batch.audit
        return write_feed(db, msgspec.structs.replace(batch, audit=kept), head)

    write._write_feed = forgetful


def two_transactions() -> None:
    """Commit the records first, then what tells of them."""
    write_feed = write._write_feed

    def apart(db: Any, batch: Any, head: Any) -> Any:
        db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        return write_feed(db, batch, head)

    write._write_feed = apart


def row_before_file() -> None:
    """Register an uploaded file before it has its name."""

    async def publish(self: Upload, meta: Any) -> None:
        await self._door.metadata.insert(meta)
        await self._door.workers.submit(self._door.backend.publish, self._draft, meta.storage_name)

    Upload._publish = publish  # type: ignore[method-assign]


def synchronous_off() -> None:
    """Commit both bases without a flush."""
    prepare_writer = schema.prepare_writer

    def prepare(db: Any) -> None:
        prepare_writer(db)
        db.execute("PRAGMA synchronous = OFF")

    schema.prepare_writer = prepare
    base._PRAGMAS = (*base._PRAGMAS, "PRAGMA synchronous = OFF")


def no_folder_fsync() -> None:
    """Rename files without flushing their folder."""
    atomic.sync_folder = base.sync_folder = lambda _folder: None


def no_file_fsync() -> None:
    """Rename files without flushing them."""
    atomic.TemporaryFile.sync = lambda _self: None  # type: ignore[method-assign]


WRONG = {
    "synchronous-off": synchronous_off,
    "no-folder-fsync": no_folder_fsync,
    "no-file-fsync": no_file_fsync,
    "answer-before-commit": answer_before_commit,
    "forget-the-audit": forget_the_audit,
    "two-transactions": two_transactions,
    "row-before-file": row_before_file,
}

if __name__ == "__main__":
    WRONG[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
