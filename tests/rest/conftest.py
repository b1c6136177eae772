"""The real server on port 0 over the real base, cache, strand, storage and tokens."""

import asyncio
import ssl
import struct
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from clamd_process import running_clamd  # noqa: F401 - a fixture
from tls_files import certify

from kycmanager.config import from_table
from kycmanager.core import Core
from kycmanager.domain.enums import SessionType
from kycmanager.metrics import Metrics
from kycmanager.stored_files import StoredFiles
from kycmanager.tokens.issue import issue_token
from kycmanager.tokens.keys import load_keys
from kycmanager.tokens.limits import FailedTokens
from kycmanager.transports.rest import RestServer, RestSettings

SECRET = "x" * 48


def png(filler: int = 0) -> bytes:
    """Make a small good picture; `filler` bytes go into a text chunk."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    text = chunk(b"tEXt", b"Comment\0" + b"x" * filler) if filler else b""
    pixels = chunk(b"IDAT", zlib.compress(b"\0\1\2\3"))
    return b"\x89PNG\r\n\x1a\n" + head + text + pixels + chunk(b"IEND", b"")


PNG = png()
OPENAPI = b'{"openapi":"3.1.0","info":{"title":"kycmanager","version":"1"},"paths":{}}'


async def read_all(reader: asyncio.StreamReader, seconds: float) -> bytes:
    """Read until the end, or until nothing comes for so long."""
    found = b""
    try:
        while piece := await asyncio.wait_for(reader.read(1 << 20), seconds):
            found += piece
    except (TimeoutError, ConnectionError):
        pass
    return found


class Rest:
    """A running server and what tests need to speak to it."""

    def __init__(self, core: Core, data: Path) -> None:
        self.core = core
        self.data = data
        self.metrics = Metrics(core.executor.commands)
        self.faults: list[tuple[str, BaseException]] = []
        self.reasons: list[str] = []
        self.observed: list[tuple[str, int, float]] = []
        self.server: RestServer
        self.http: aiohttp.ClientSession
        self.url = ""
        self._keys = load_keys(core.config.tokens, data)

    def fault(self, work: str, error: BaseException, **_ids: str) -> str:
        self.faults.append((work, error))
        return f"fault-{len(self.faults)}"

    def observe(self, name: str, status: int, seconds: float) -> None:
        self.observed.append((name, status, seconds))
        self.metrics.observe(name, status, seconds)

    async def start(self, settings: RestSettings, **named: Any) -> None:
        self.server = RestServer(
            "127.0.0.1",
            0,
            executor=self.core.executor,
            storage=StoredFiles(self.core.storage, self.fault, self.core.renderer),
            settings=settings,
            wrong_token=FailedTokens(5).refusal,
            faults=self.fault,
            ready=lambda: self.reasons,
            metrics=self.metrics.render,
            openapi=OPENAPI,
            observe=self.observe,
            **named,
        )
        await self.server.start()
        self.url = "http://{}:{}".format(*self.server.address)
        self.http = aiohttp.ClientSession(self.url)

    async def stop(self) -> None:
        await self.http.close()
        await self.server.close()

    def token(self, session: SessionType = SessionType.MANAGER, sub: int = 1, brands: Any = ("acme",)) -> str:
        return issue_token(
            self._keys.signing, session=session, sub=sub, brands=brands, now=int(time.time()), ttl_seconds=3600
        )

    def manager(self, *brands: str) -> dict[str, str]:
        return {"Authorization": self.token(brands=brands or ("acme",))}

    def customer(self, sub: int = 7, brand: str = "acme") -> dict[str, str]:
        return {"Authorization": self.token(SessionType.CUSTOMER, sub, (brand,))}

    async def ask(self, method: str, path: str, **named: Any) -> tuple[int, Any, Any]:
        """Return (status, decoded JSON or bytes, headers)."""
        async with self.http.request(method, path, **named) as answer:
            content = await answer.read()
            if answer.content_type == "application/json" and content:
                return answer.status, await answer.json(), answer.headers
            return answer.status, content, answer.headers

    async def seed(self, customer: int = 7) -> tuple[int, int]:
        """Make a template and a profile that needs it; return the ids of the profile and of its step."""
        await self.ask(
            "POST",
            "/manager/kyc/templates",
            json={"brand": "acme", "code": "id", "level": 1, "name": "Identity", "step_type": 1, "required": 1},
            headers=self.manager(),
        )
        status, _, _ = await self.ask(
            "POST",
            "/manager/kyc/required-level",
            json={"customer_id": customer, "brand": "acme", "level": 1},
            headers=self.manager(),
        )
        assert status == 200
        profile = self.core.cache.profile_of(customer, "acme")
        assert profile is not None
        return profile.id, self.core.cache.steps_of(profile.id)[0].id

    async def upload(self, content: bytes = PNG, name: str = "a.png", *, headers: Any = None, query: str = "") -> Any:
        """Upload a raw body; return (status, answer)."""
        status, answer, _ = await self.ask(
            "POST",
            f"/upload{query}",
            data=content,
            headers={"Content-Disposition": f'attachment; filename="{name}"', **(headers or self.manager())},
        )
        return status, answer

    async def talk(self, *pieces: bytes, seconds: float = 1.0, pause: float = 0.0) -> bytes:
        """Send raw bytes on a new connection; return what came until it was closed or nothing came any more."""
        async with self.connected() as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(pause)
            return await read_all(reader, seconds)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a raw connection, and end it at once in the end."""
        reader, writer = await asyncio.open_connection(*self.server.address, limit=1024)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def stored(self) -> list[str]:
        """Return the files in the storage, those being received too."""
        return sorted(
            str(path.relative_to(self.data / "storage"))
            for path in (self.data / "storage").rglob("*")
            if path.is_file()
        )


Made = Callable[..., Any]


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    config = from_table({"tokens": {"secret": SECRET}}, {})
    made = Core(config, tmp_path, lambda *_: None)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def make(core: Core, tmp_path: Path) -> AsyncIterator[Made]:
    """Start servers with settings of one's own."""
    started: list[Rest] = []

    async def start(named: dict[str, Any] | None = None, **settings: Any) -> Rest:
        rest = Rest(core, tmp_path)
        await rest.start(RestSettings(**settings), **(named or {}))
        started.append(rest)
        return rest

    yield start
    for rest in started:
        await rest.stop()


@pytest.fixture
async def rest(make: Made) -> Rest:
    return await make()


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """What a server needs for TLS, with a certificate of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certify(tmp_path))
    return context
