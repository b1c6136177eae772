"""The core without its doors: base, memory, strand and gate, put together, opened and closed in stages."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from kycmanager import __version__, log
from kycmanager.commands import TABLE
from kycmanager.commands.execute import Executor
from kycmanager.config import Config, Quotas, Sep12, scanner_address
from kycmanager.domain.errors import KycError
from kycmanager.domain.files import CUSTOMER
from kycmanager.domain.reasons import USUAL, Reason, Reasons
from kycmanager.domain.wallets import CustomerType, CustomerTypes
from kycmanager.encryption import Safe
from kycmanager.ports import AuditQuery, Clock, Progress, StoreRefused
from kycmanager.store.cache import Cache
from kycmanager.store.follower import Follower
from kycmanager.store.replies import Replies
from kycmanager.store.sqlite import SqliteStore
from kycmanager.store.sqlite.heads import HEADS
from kycmanager.store.strand import CommandStrand, Committed, StrandLimits
from kycmanager.stored_files import StoredFiles
from kycmanager.tokens.keys import Keys, derived, load_keys
from kycmanager.tokens.passes import Passes
from kycmanager.tokens.revocations import Revocations
from kycmanager.tokens.verify import Verifier, wall_clock
from kycmanager.transports.control import run_local
from storagemanager import (
    InspectionSettings,
    Limits,
    OpenReport,
    Owner,
    PinReport,
    Policy,
    Renderer,
    RenditionSettings,
    Scanner,
    ScannerSettings,
    StorageError,
    StorageManager,
    StorageSettings,
)

EXPIRED_AT_ONCE = 256
RELEASED_AT_ONCE = 256
FORGOTTEN_AT_ONCE = 256
RENDITION_PATIENCE_SECONDS = 15
TIMER = "timer"
"""The source of what no caller asked for, in the audit."""
SCANNER = "scanner"
"""The source of what the malware scanner found, in the audit."""

logger = log.get_logger("core")


class Tasks:
    """The background work of the daemon, held so that it is neither lost nor left behind."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work on its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Wait for what still runs."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)


def log_fault(command: str, error: BaseException, **ids: str) -> str:
    """Log an unexpected exception of a command once, and return the correlation id of its line; `ids` name objects."""
    correlation = log.new_correlation()
    logger.error("command failed", command=command, exc_info=error, **ids)
    log.correlation.set("")  # a connection lives on: its later lines tell of other things
    return correlation


class Core:
    """Base, memory, strand and gate, without a door; what one-off commands and the daemon share."""

    def __init__(self, config: Config, data_dir: Path, report: Progress, clock: Clock = wall_clock) -> None:
        self.config = config
        self.data_dir = data_dir
        self.report = report
        self.clock = clock
        self.tasks = Tasks()
        self.replies = Replies(config.cache.prepared_bytes_max)
        self.revocations = Revocations()
        self.followers: list[Callable[[Committed], None]] = [self._revoke]
        idempotency_seconds = config.idempotency.hours * 3600
        self.store = SqliteStore(
            data_dir / "bases" / "kyc.db",
            clock=clock,
            idempotency_seconds=idempotency_seconds,
            heads=data_dir / HEADS,
        )
        self.safe = Safe(config.encryption, data_dir, self.store, clock, self._run_for_keys)
        self.cache = Cache(self.safe.vault)
        self._set_up_cache()
        self.storage = StorageManager(
            data_dir,
            storage_settings(config),
            clock,
            cipher=self.safe.cipher,
            limits_of=partial(quotas_of, config.quotas),
            scanner=scanner_of(config, data_dir),
            infected=self._tell_malware,
            policy_of=lambda brand: Policy(config.inspection.of(brand)),
        )
        self.renderer = Renderer(data_dir / "renditions", rendition_settings(config), self.storage)
        self.files = StoredFiles(self.storage, log_fault, self.renderer)
        self.strand = CommandStrand(
            self.cache,
            self.store,
            self.replies,
            self._now,
            StrandLimits(
                queue_max=config.limits.write_queue_max,
                batch_max=config.limits.batch_commands_max,
                keys_max=config.idempotency.keys_max,
                idempotency_seconds=idempotency_seconds,
                lease_seconds=config.backoffice.lease_seconds,
            ),
            self._follow,
        )
        keys = load_keys(config.tokens, data_dir)
        self.cache.idempotency_secret = derived(keys.signing, "idempotency")
        statistics = self.cache.statistics
        self.counting = Follower(statistics.tallies, self.store, statistics.newest)
        self.followers.append(lambda committed: self.counting.take(committed.events))
        self.verifier = Verifier(keys, config.tokens, self.revocations, clock)
        self.passes = self._make_passes(keys)
        self.started_time = 0
        self._last_written = 0
        self.connections: Callable[[], int] = lambda: 0
        self.executor = Executor(
            TABLE,
            tokens=self.verifier,
            records=self.cache,
            strand=self.strand,
            store=self.store,
            files=self.files,
            keys=self.safe,
            clock=clock,
            daemon=self,
            prepared=self.replies,
            spawn=self.tasks.spawn,
            faults=log_fault,
        )

    def _set_up_cache(self) -> None:
        cache, config = self.cache, self.config
        cache.desk.reasons, cache.wallets.types = reasons_of(config), customer_types(config.sep12)
        cache.lookup.fields = config.backoffice.search_fields
        self.safe.look_after(cache.lookup, cache.in_clear)

    def _make_passes(self, keys: Keys) -> Passes:
        """Let the rows make and use up the passes of customers."""
        settings, users = self.config.portal, self.cache.users
        passes = Passes(
            keys, self.revocations, self.clock, address=settings.address, link_seconds=settings.link_seconds
        )
        users.links, users.is_revoked = passes, self.revocations.names
        return passes

    async def open(self) -> None:
        """Lock and load the base, open the storage, agree on the attached files, start the strand."""
        for name in ("bases", "storage"):
            (self.data_dir / name).mkdir(parents=True, exist_ok=True)
        await self.store.open()
        await self.safe.open()
        gc.collect()
        gc.disable()  # nothing that is loaded becomes garbage; looking for some would double the time
        try:
            await self._load()
        finally:
            gc.enable()
        self.started_time = self.clock()
        self.strand.start()
        await self.safe.hold_attached()
        await self.safe.finish_erasures(self.cache)

    async def _load(self) -> None:
        snapshot = await self.store.load(self.report)
        self.safe.load(snapshot)
        self.cache.load(snapshot)
        for revocation in snapshot.revocations:
            self.revocations.add(revocation)
        try:
            opened = await self.storage.open()
        except StorageError as error:
            raise StoreRefused(error.reason) from None
        newest, _, _ = await self.store.audit(AuditQuery(brands=None, limit=1))
        self._last_written = newest[0].time if newest else 0
        tell_storage(opened, await self._agree_on_files())
        await self.safe.agree(self.storage)
        await self.files.agree_on_decisions(self.store)
        await self.renderer.open()
        await self.counting.open(self.cache.statistics.waiting_steps())
        gc.freeze()  # what was loaded stays: the collector need not walk it again

    def _now(self) -> int:
        """Return the time of a write: never before the last one, for the audit is searched by time as it is by id.

        Only writes wait for a clock that was set back; tokens and what runs out go by the clock as it is.
        """
        self._last_written = max(self.clock(), self._last_written)
        return self._last_written

    async def _agree_on_files(self) -> PinReport:
        return await self.storage.reconcile_pins(self.cache.attached_files())

    async def close(self) -> None:
        """Finish what was taken, close base and storage; may be called after a failed opening, and twice."""
        await self.tasks.finish()
        try:
            await self.strand.close()
        finally:
            await self.tasks.finish()
            await self._keep_statistics()
            await self.renderer.close()
            await self.storage.close()
            try:
                await self.store.tell_head()
            except OSError:
                logger.exception("the head of the audit could not be written down")
            await self.store.close()
            gc.unfreeze()
            gc.enable()

    async def _keep_statistics(self) -> None:
        try:
            await self.counting.close()
        except Exception:  # the feed holds all of it
            logger.exception("the last events are counted at the next start")

    async def expire_due(self) -> None:
        """Expire what has run out, on the strand like any command, until nothing is due."""
        while due := self.cache.due(self.clock(), EXPIRED_AT_ONCE):
            steps = [record_id for kind, record_id in due if kind == "step"]
            documents = [record_id for kind, record_id in due if kind == "document"]
            data = {"steps": steps, "documents": documents}
            await run_local(self.executor, "SysExpireDue", data, source=TIMER)

    async def release_lapsed(self) -> None:
        """End the claims on cases whose lease is over, on the strand like any command, and tell of it."""
        while lapsed := self.cache.desk.lapsed(self.clock(), RELEASED_AT_ONCE):
            await run_local(self.executor, "SysReleaseCases", {"cases": list(lapsed)}, source=TIMER)

    async def tell_head(self) -> None:
        """Write down, outside the base, where the chain of the audit ends."""
        await self.store.tell_head()

    async def forget(self) -> None:
        """Forget keys and revocations that no longer count, and that the disk was full if it is no more."""
        now = self.clock()
        self.cache.forget_keys(now - self.config.idempotency.hours * 3600)
        self.revocations.forget(now)
        while gone := self.cache.wallets.forgettable(now, FORGOTTEN_AT_ONCE):
            data = {"digests": [digest.hex() for digest in gone]}
            await run_local(self.executor, "SysForgetSepChallenges", data, source=TIMER)
        await self.store.maintain()
        if self.strand.full and self.strand.healthy:
            self.strand.probe()

    async def expire_uploads(self) -> None:
        """Remove the uploads that nobody attached in time, what was drawn of them, and keys that nothing needs."""
        await self.storage.expire(self.clock())
        await self.safe.retire()
        await self.renderer.tidy()

    async def _tell_malware(self, owner: Owner, uuid: str, signature: str) -> None:
        """Log what the scanner found, and write it into the audit; the upload is refused whatever happens here."""
        logger.warning("malware refused", brand=owner.brand, file=uuid, signature=signature)
        data = {
            "brand": owner.brand,
            "owner_kind": owner.kind,
            "owner_id": owner.id,
            "file_id": uuid,
            "malware": signature,
        }
        try:
            await run_local(self.executor, "SysRecordMalware", data, source=SCANNER)
        except KycError as error:
            log_fault("SysRecordMalware", error, file=uuid)

    def _follow(self, committed: Committed) -> None:
        for follower in self.followers:
            follower(committed)
        if committed.held_files:
            self.tasks.spawn(self.safe.release(committed.held_files))

    async def _run_for_keys(self, command: str, data: dict[str, Any]) -> None:
        await run_local(self.executor, command, data)

    def _revoke(self, committed: Committed) -> None:
        for revocation in committed.revocations:
            self.revocations.add(revocation)

    def facts(self) -> dict[str, int | str]:
        """Tell what runs here, for ServerInfo."""
        return {
            "version": __version__,
            "started_time": self.started_time,
            "event_seq": self.cache.counters["event"] - 1,
            "profiles": len(self.cache.profiles),
            "steps": len(self.cache.steps),
            "documents": len(self.cache.documents),
            "templates": len(self.cache.templates),
            "connections": self.connections(),
            "queue_depth": self.strand.depth,
        }


def storage_settings(config: Config) -> StorageSettings:
    """Return the settings of the storage as config.toml has them."""
    return StorageSettings(
        file_bytes_max=config.storage.file_bytes_max,
        extensions=config.storage.extensions,
        unattached_seconds=config.storage.unattached_hours * 3600,
        inspection=InspectionSettings(
            pixels_max=config.inspection.megapixels_max * 1_000_000,
            seconds=float(config.inspection.seconds_max),
            memory_bytes=config.inspection.memory_bytes_max,
            processes_max=config.inspection.processes_max,
        ),
    )


def rendition_settings(config: Config) -> RenditionSettings:
    """Return the settings of renditions as config.toml has them; a busy machine may take some seconds more."""
    default, seconds = RenditionSettings(), config.renditions.seconds
    limits = replace(default.limits, seconds=seconds, wall_seconds_max=seconds + RENDITION_PATIENCE_SECONDS)
    return replace(default, cache_bytes_max=config.renditions.cache_bytes_max, limits=limits)


def reasons_of(config: Config) -> Reasons:
    """Return the reasons for rejections as config.toml has them, the usual ones where it names none."""
    given = [Reason(**asdict(reason)) for reason in config.backoffice.reasons]
    return Reasons(given or USUAL, config.backoffice.language)


def customer_types(settings: Sep12) -> CustomerTypes:
    """Return what is asked of customers of wallets as config.toml has it."""
    types = {
        name: CustomerType(level=each.level, templates=each.templates, verify=each.verify)
        for name, each in settings.types.items()
    }
    retention = settings.retention_days * 86_400
    return CustomerTypes(types, id_base=settings.customer_id_base, retention=retention)


def scanner_of(config: Config, data_dir: Path) -> Scanner | None:
    """Return the malware scanner of the settings, None where there is none."""
    path, host, port = scanner_address(config.malware.address)
    if not (path or host):
        return None
    unix = str(data_dir / path) if path else ""
    return Scanner(ScannerSettings(unix=unix, host=host, port=port, seconds=config.malware.timeout_seconds))


def quotas_of(quotas: Quotas, owner: Owner) -> Limits:
    """Return what an owner and its brand may store: files of managers count for the brand alone."""
    of_brand = quotas.of(owner.brand)
    limits = Limits(brand_files_max=of_brand.brand_files_max, brand_bytes_max=of_brand.brand_bytes_max)
    if owner.kind != CUSTOMER:
        return replace(limits, owner_uploads_per_hour_max=of_brand.manager_uploads_per_hour_max)
    return replace(
        limits,
        owner_files_max=of_brand.customer_files_max,
        owner_bytes_max=of_brand.customer_bytes_max,
        owner_uploads_per_hour_max=of_brand.customer_uploads_per_hour_max,
    )


def tell_storage(opened: OpenReport, pins: PinReport) -> None:
    """Log what the start found in the storage: what was mended as information, what is lost as an error."""
    if opened.temporary_removed or opened.orphans_removed or opened.expired or pins.pinned or pins.unpinned:
        logger.info(
            "storage tidied",
            temporary_removed=opened.temporary_removed,
            orphans_removed=opened.orphans_removed,
            expired=opened.expired,
            pinned=pins.pinned,
            unpinned=pins.unpinned,
        )
    lost = [*opened.missing, *opened.wrong_size, *opened.damaged_rows, *pins.unknown]
    if lost:
        logger.error("stored files are missing or damaged; run kycmanager verify", count=len(lost), files=lost[:20])
