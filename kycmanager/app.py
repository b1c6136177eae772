"""The daemon put together: the core, its doors and its timers; nothing else knows who plays which part."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from kycmanager import log
from kycmanager.backoffice.application import Backoffice, Office
from kycmanager.commands import TABLE
from kycmanager.config import Config, split_address
from kycmanager.contract import openapi_bytes
from kycmanager.core import Core, log_fault
from kycmanager.metrics import OTHER, Metrics
from kycmanager.outbound.channel import Channel
from kycmanager.outbound.opening import FORGET_SECONDS as FORGET_DELIVERIES_SECONDS
from kycmanager.outbound.opening import outbound_of
from kycmanager.outbound.worker import Outbound
from kycmanager.pages.visits import VisitSettings
from kycmanager.portal.application import Hall, Portal
from kycmanager.ports import Clock, Progress, Records, StoreRefused
from kycmanager.timers import Timers
from kycmanager.tokens.limits import FailedTokens
from kycmanager.tokens.verify import wall_clock
from kycmanager.transports.control import ControlServer, run_local
from kycmanager.transports.door import Observe
from kycmanager.transports.push import Hub
from kycmanager.transports.rest.routes import Mount, served_by
from kycmanager.transports.rest.server import RestServer
from kycmanager.transports.rest.settings import RestSettings
from kycmanager.transports.tcp import TcpServer

FORGET_SECONDS = 30
COUNT_SECONDS = 1
UPLOADS_SECONDS = 300
CLAIMS_SECONDS = 5
LOOKUPS_SECONDS = 5
SCANNER_SECONDS = 10
DRAIN_SECONDS = 5
OUTBOUND = "outbound"
"""The source of what the outbound worker writes."""


class Wallets(Protocol):
    """The door of wallets, which is imported only where it is on."""

    def mounts(self) -> dict[str, Mount]:
        """Return where it is to be mounted."""
        ...

    def channels(self, records: Records) -> Sequence[Channel]:
        """Return the channel of callbacks."""
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...


class App:
    """The daemon: the core and its doors. `report(what, done, total)` follows the opening."""

    def __init__(self, config: Config, data_dir: Path, report: Progress, clock: Clock = wall_clock) -> None:
        self.config = config
        self.core = Core(config, data_dir, report, clock)
        self.metrics = Metrics(command.name for command in TABLE)
        self._observe = observer(self.metrics, config.logging.level, lambda: self._serving)
        self.failed_tokens = FailedTokens(config.tokens.failed_per_minute_max, clock)
        self.timers = Timers()
        self.hub: Hub | None = None
        self.tcp: TcpServer | None = None
        self.rest: RestServer | None = None
        self.control: ControlServer | None = None
        self.backoffice: Backoffice | None = None
        self.portal: Portal | None = None
        self.outbound: Outbound | None = None
        self.wallets: Wallets | None = None
        self._serving = False

    @property
    def tcp_address(self) -> tuple[str, int]:
        """Where TCP is served."""
        assert self.tcp is not None
        return self.tcp.address

    @property
    def http_address(self) -> tuple[str, int]:
        """Where HTTP is served."""
        assert self.rest is not None
        return self.rest.address

    async def open(self) -> None:
        """Open the core, then the doors; what fails leaves the rest for `close`."""
        core = self.core
        await core.open()
        self.hub = Hub(
            core.cache,
            core.store,
            clock=core.clock,
            revocations=core.revocations,
            faults=log_fault,
            seq=core.cache.counters["event"] - 1,
        )
        hub = self.hub
        core.followers.append(lambda committed: hub.publish(committed.events))
        context = tls_context(self.config, core.data_dir)
        self.tcp = self._tcp_server(hub, context)
        mounts = {**await self._open_pages(), **self._open_wallets()}
        self.rest = self._rest_server(context, mounts)
        self.control = ControlServer(core.data_dir / "bases" / "control.sock", self._run_local)
        core.connections = self._connections
        self._open_outbound()
        self._gauges()
        await self.tcp.start()
        await self.rest.start()
        await self.control.start()
        self._start_timers()
        self._serving = True

    def _open_outbound(self) -> None:
        """Begin to tell others of events, where the settings name anybody; else no write knows of it."""
        core = self.core
        outbound = self.outbound = outbound_of(
            self.config.webhooks,
            core.cache,
            core.store,
            run=lambda command, data: run_local(core.executor, command, data, source=OUTBOUND),
            clock=core.clock,
            faults=log_fault,
            channels=self.wallets.channels(core.cache) if self.wallets else (),
        )
        if outbound is not None:
            core.followers.append(lambda committed: outbound.publish(committed.events))
            outbound.show(self.metrics)
            outbound.start()
            self.timers.start("deliveries", FORGET_DELIVERIES_SECONDS, outbound.forget)

    def _tcp_server(self, hub: Hub, context: ssl.SSLContext | None) -> TcpServer:
        host, port = split_address(self.config.server.tcp)
        return TcpServer(
            host,
            port,
            executor=self.core.executor,
            replies=self.core.replies,
            hub=hub,
            limits=self.config.limits,
            wrong_token=self.failed_tokens.refusal,
            observe=self._observe,
            ssl_context=context,
            others=lambda: self.rest.connections if self.rest else 0,
            crowded=self.core.strand.crowded,
        )

    async def _open_pages(self) -> dict[str, Mount]:
        """Return the pages that the HTTP door is to serve, by their prefix."""
        mounts: dict[str, Mount] = {}
        if self.config.portal.enabled:
            self.portal = self._make_portal()
            mounts[self.portal.prefix] = served_by(await self.portal.start())
        core, settings = self.core, self.config.backoffice
        if not settings.enabled:
            return mounts
        users, revocations = core.cache.users, core.revocations
        pages = self.backoffice = Backoffice(
            Office(
                executor=core.executor,
                users=users,
                revocations=revocations,
                clock=core.clock,
                observe=self._observe,
                faults=log_fault,
                wrong_token=self.failed_tokens.refusal,
                epoch=lambda: (users.epoch, revocations.epoch),
                storage=core.files,
                request_seconds=self.config.limits.request_seconds,
                language=settings.language,
                links=self.config.portal.enabled,
                settings=self._visits(settings.idle_seconds, settings.life_seconds),
            )
        )
        core.followers.append(lambda committed: pages.publish(committed.events))
        mounts[pages.prefix] = served_by(await pages.start())
        return mounts

    def _make_portal(self) -> Portal:
        core, settings = self.core, self.config.portal
        return Portal(
            Hall(
                executor=core.executor,
                passes=core.passes,
                files=core.files,
                clock=core.clock,
                observe=self._observe,
                faults=log_fault,
                wrong_token=self.failed_tokens.refusal,
                extensions=self.config.storage.extensions,
                rest=self._rest_settings(),
                settings=self._visits(
                    settings.idle_seconds, settings.life_seconds, by_tls=settings.address.startswith("https://")
                ),
            )
        )

    def _visits(self, idle_seconds: int, life_seconds: int, *, by_tls: bool = False) -> VisitSettings:
        """Return what visits are like; behind a proxy, or with a certificate of ours, they come by TLS anyway."""
        proxy = self.config.backoffice.proxy
        return VisitSettings(
            idle_seconds=idle_seconds,
            life_seconds=life_seconds,
            secure=by_tls or proxy or bool(self.config.server.tls_cert),
            proxy=proxy,
        )

    def _open_wallets(self) -> dict[str, Mount]:
        """Return the door of Stellar wallets, by its prefixes; what it needs is imported only where it is on."""
        core, config = self.core, self.config
        if not config.sep12.enabled:
            return {}
        try:
            from kycmanager.apis.sep12.opening import sep12_door  # noqa: PLC0415 - an extra, and a slow import
        except ImportError:
            raise StoreRefused("sep12.enabled needs the extra: pip install 'kycmanager[stellar]'") from None
        self.wallets = sep12_door(
            config,
            self._rest_settings(),
            executor=core.executor,
            storage=core.files,
            clock=core.clock,
            observe=self._observe,
            faults=log_fault,
            wrong_token=self.failed_tokens.refusal,
            data_dir=core.data_dir,
        )
        return self.wallets.mounts()

    def _rest_server(self, context: ssl.SSLContext | None, mounts: Mapping[str, Mount]) -> RestServer:
        host, port = split_address(self.config.server.http)
        return RestServer(
            host,
            port,
            executor=self.core.executor,
            storage=self.core.files,
            settings=self._rest_settings(),
            wrong_token=self.failed_tokens.refusal,
            faults=log_fault,
            ready=self.reasons_not_ready,
            metrics=self.metrics.render,
            openapi=openapi_bytes(),
            observe=self._observe,
            mounts=mounts,
            others=lambda: self.tcp.connections if self.tcp else 0,
            ssl_context=context,
        )

    def _rest_settings(self) -> RestSettings:
        config = self.config
        return RestSettings(
            body_bytes_max=config.rest.body_bytes_max,
            file_bytes_max=config.storage.file_bytes_max,
            connections_max=config.limits.connections_max,
            keepalive_seconds=config.rest.keepalive_seconds,
            header_seconds=config.limits.frame_seconds,
            request_seconds=config.limits.request_seconds,
            discard_seconds=config.limits.discard_seconds,
            stall_seconds=config.limits.slow_seconds,
            public_scope=config.storage.public_scope,
            docs=config.rest.docs,
            fast_path=config.rest.fast_path,
        )

    def reasons_not_ready(self) -> list[str]:
        """Return why the daemon should not be asked now; nothing when it should."""
        reasons = []
        if not self._serving:
            reasons.append("the daemon is starting or stopping")
        if not self.core.strand.healthy:
            reasons.append("the base failed while writing; writes wait for it")
        if self.core.strand.full:
            reasons.append("the disk is full; writes are refused")
        scanner = self.core.storage.scanner
        if scanner is not None and scanner.fault:
            reasons.append(f"uploads are refused: {scanner.fault}")
        return reasons

    def _connections(self) -> int:
        return (self.tcp.connections if self.tcp else 0) + (self.rest.connections if self.rest else 0)

    def _gauges(self) -> None:
        core, metrics = self.core, self.metrics
        metrics.gauge("connections", "Open connections, TCP and HTTP", self._connections)
        metrics.gauge("queue_depth", "Writes that wait for the strand", lambda: core.strand.depth)
        metrics.gauge("profiles", "Profiles in memory", lambda: len(core.cache.profiles))
        metrics.gauge("steps", "Steps in memory", lambda: len(core.cache.steps))
        metrics.gauge("documents", "Documents in memory", lambda: len(core.cache.documents))
        metrics.gauge("event_seq", "Number of the last event", lambda: core.cache.counters["event"] - 1)
        metrics.total("batches", "Transactions committed or refused", lambda: core.strand.batches)
        metrics.total("writes", "Write commands taken by the strand", lambda: core.strand.commands)
        scanner, ledger, renderer = core.storage.scanner, core.storage.ledger, core.renderer
        metrics.total("quota_refusals", "Uploads refused by a quota", lambda: ledger.refusals)
        metrics.gauge("renditions_bytes", "Renditions kept on the disk, in bytes", lambda: renderer.file_bytes)
        metrics.total("renditions_made", "Renditions drawn", lambda: renderer.made)
        metrics.total("renditions_failed", "Renditions that could not be drawn", lambda: renderer.failures)
        if scanner is not None:
            metrics.gauge("scanner_up", "Whether the malware scanner answers", lambda: not scanner.fault)
            metrics.total("scans", "Files sent to the malware scanner", lambda: scanner.scans)
            metrics.total("scans_infected", "Files refused because of malware", lambda: scanner.found)
            metrics.total("scans_failed", "Scans without a clear answer", lambda: scanner.failures)

    def _start_timers(self) -> None:
        core = self.core
        self.timers.start("expiry", self.config.expiry.interval_seconds, core.expire_due)
        self.timers.start("claims", CLAIMS_SECONDS, core.release_lapsed)
        self.timers.start("lookups", LOOKUPS_SECONDS, core.safe.index)
        self.timers.start("statistics", COUNT_SECONDS, core.counting.follow)
        self.timers.start("forget", FORGET_SECONDS, core.forget)
        self.timers.start("uploads", UPLOADS_SECONDS, core.expire_uploads)
        self.timers.start("heads", self.config.audit.head_seconds, core.tell_head)
        if core.storage.scanner is not None:
            self.timers.start("scanner", SCANNER_SECONDS, core.storage.scanner.check)

    async def _run_local(self, command: str, data: dict[str, Any], report: Progress) -> bytes:
        return await run_local(self.core.executor, command, data, report)

    async def failed(self) -> None:
        """Wait for what must end the daemon; raises it."""
        await self.core.strand.failed()

    async def close(self) -> None:
        """Take nothing new, answer what was taken, close everything; safe after a failed opening, and twice."""
        self._serving = False
        await self.timers.close()
        doors = (self.tcp, self.rest)
        if self.backoffice:
            self.backoffice.end_streams()
        if self.outbound:
            await self.outbound.close()
        await asyncio.gather(*(door.drain(DRAIN_SECONDS) for door in doors if door))
        if self.control:
            await self.control.close()
        for door in doors:
            if door:
                await door.close()
        if self.backoffice:
            await self.backoffice.close()
        if self.portal:
            await self.portal.close()
        if self.wallets:
            await self.wallets.close()
        if self.hub:
            await self.hub.close()
        await self.core.close()


async def run_once(
    config: Config, data_dir: Path, command: str, data: dict[str, Any], report: Progress
) -> dict[str, Any]:
    """Open the core, run one local command on it, close it; raises StoreRefused or KycError."""
    core = Core(config, data_dir, report)
    core.safe.alone = True
    try:
        await core.open()
        answer = await run_local(core.executor, command, data, report)
        result: dict[str, Any] = msgspec.json.decode(answer)
        return result
    finally:
        await core.close()


def observer(metrics: Metrics, level: str, serving: Callable[[], bool]) -> Observe:
    """Return what the doors tell of every answered command: it is counted, and logged as the level asks for.

    Above debug only failures are looked at: a success costs one comparison more. While the daemon stops, refusals are
    no failures. Names no row has are the caller's.
    """
    names = {command.name for command in TABLE}
    failed = log.Failures()

    def tell_failures(command_name: str, status: int, seconds: float, count: int = 1, /) -> None:
        metrics.observe(command_name, status, seconds, count)
        if status >= log.FAILED and serving():
            failed(command_name if command_name in names else OTHER, status, seconds)

    def tell_all(command_name: str, status: int, seconds: float, count: int = 1, /) -> None:
        metrics.observe(command_name, status, seconds, count)
        name = command_name if command_name in names else OTHER
        log.log_command(name, status, seconds, **({"count": count} if count > 1 else {}))

    return tell_all if level == "debug" else tell_failures


def tls_context(config: Config, data_dir: Path) -> ssl.SSLContext | None:
    """Return what both doors speak TLS with, None when no certificate is set."""
    if not config.server.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(data_dir / config.server.tls_cert, data_dir / config.server.tls_key)
    return context
