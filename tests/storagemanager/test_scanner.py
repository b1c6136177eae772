"""The malware scanner: a real clamd finds and passes; whatever is no clear answer refuses the file."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import storage_samples as s
from clamd_process import EICAR, SIGNATURE, STREAM_BYTES_MAX

from storagemanager import MalwareError, Scanner, ScannerSettings, StorageError, StorageErrorCode, StorageManager
from storagemanager.model import StorageSettings


async def pieces(*contents: bytes) -> AsyncGenerator[bytes, None]:
    for content in contents:
        yield content


async def refusal(scanner: Scanner, *contents: bytes) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await scanner.scan(pieces(*(contents or (b"some text",))))
    return caught.value


@pytest.fixture
def scanner(running_clamd) -> Scanner:
    return Scanner(ScannerSettings(unix=str(running_clamd.socket)))


async def test_clamd_passes_and_finds(scanner):
    await scanner.check()
    await scanner.scan(pieces(b"some ", b"text"))
    for parts in ((EICAR,), (EICAR[:10], EICAR[10:40], EICAR[40:])):
        error = await refusal(scanner, *parts)
        assert isinstance(error, MalwareError)
        assert (error.code, error.signature) == (StorageErrorCode.MALWARE, SIGNATURE)
        assert SIGNATURE not in str(error)
    assert (scanner.scans, scanner.found, scanner.failures, scanner.fault) == (3, 2, 0, "")


async def test_a_file_over_the_limit_of_clamd_is_refused_and_says_what_to_do(scanner):
    await scanner.scan(pieces(*[b"x" * 65_536] * (STREAM_BYTES_MAX // 65_536)))
    error = await refusal(scanner, *[b"x" * 65_536] * 40)
    assert error.code is StorageErrorCode.UNSCANNED
    assert "raise StreamMaxLength" in error.reason or "broke off" in error.reason
    await scanner.check()
    assert scanner.fault == ""


async def test_many_at_once(scanner):
    contents = [EICAR if number % 3 == 0 else b"text %d" % number for number in range(30)]
    results = await asyncio.gather(*(scanner.scan(pieces(each)) for each in contents), return_exceptions=True)
    assert [isinstance(each, MalwareError) for each in results] == [number % 3 == 0 for number in range(30)]


async def test_clamd_that_is_away_refuses_everything_until_it_is_back(tmp_path, running_clamd):
    place = tmp_path / "s"
    scanner = Scanner(ScannerSettings(unix=str(place)))
    error = await refusal(scanner)
    assert (error.code, scanner.failures) == (StorageErrorCode.UNSCANNED, 1)
    assert f"clamd at unix:{place} cannot be reached" in scanner.fault
    assert scanner.fault.endswith("look whether clamd runs, and at its log")
    await scanner.check()
    assert "cannot be reached" in scanner.fault
    place.symlink_to(running_clamd.socket)
    await scanner.check()
    assert scanner.fault == ""


async def test_over_tcp_nobody_listens():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    scanner = Scanner(ScannerSettings(host="127.0.0.1", port=port))
    assert f"clamd at 127.0.0.1:{port} cannot be reached" in (await refusal(scanner)).reason


@asynccontextmanager
async def stand_in(answer: bytes, *, hold: bool = False, read: bool = True, seconds: float = 20):
    """Give the scanner of a server that says what a real one does not."""
    released = asyncio.Event()

    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        with suppress(ConnectionError):
            if read:
                while (await reader.read(65_536))[-4:] not in {b"\0\0\0\0", b"ING\0", b""}:
                    pass
            writer.write(answer)
            await writer.drain()
            if hold:
                await released.wait()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        scanner = Scanner(ScannerSettings(host="127.0.0.1", port=server.sockets[0].getsockname()[1], seconds=seconds))
        scanner.serving = serving
        yield scanner
    finally:
        released.set()
        server.close()
        await asyncio.gather(*serving)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "broke off without an answer"),
        (b"stream: OK", "broke off without an answer"),
        (b"stream: OK\n\0", "gave an answer that is none of its own, 'stream: OK\\n'"),
        (b"stream: OK\0", ""),
        (b"OK\0", "gave an answer that is none of its own"),
        (b"stream:  FOUND\0", "gave an answer that is none of its own"),
        (b"\xff\xfe\x80\0", "gave an answer that is none of its own"),
        (b"x" * 5000 + b"\0", "gave an answer that is none of its own"),
        (b"x" * 5000, "gave an answer that is none of its own"),
        (b"stream: Can't open file ERROR\0", "Can't open file"),
        (b"INSTREAM size limit exceeded. ERROR\0", "raise StreamMaxLength"),
    ],
)
async def test_only_a_clear_answer_passes(answer, words):
    async with stand_in(answer) as scanner:
        if not words:
            await scanner.scan(pieces(b"some text"))
            return
        error = await refusal(scanner)
        assert error.code is StorageErrorCode.UNSCANNED
        assert words in error.reason
        assert len(error.reason) < 500


async def test_a_name_of_malware_holds_nothing_a_log_would_choke_on():
    async with stand_in(b'stream: Win.<b> "x" FOUND FOUND\0') as scanner:
        error = await refusal(scanner)
        assert isinstance(error, MalwareError)
        assert error.signature == "Win._b___x__FOUND"


@pytest.mark.parametrize("read", [True, False])
async def test_silence_is_no_answer(read):
    async with stand_in(b"", hold=True, read=read, seconds=0.2) as scanner:
        error = await refusal(scanner, *[b"x" * 65_536] * 200)
        assert "did not answer within 0.2 s" in error.reason
        await scanner.check()
        assert "did not answer" in scanner.fault


async def test_an_answer_before_the_end_is_heard():
    async with stand_in(b"stream: Early FOUND\0", hold=True, read=False) as scanner:
        endless = asyncio.Event()

        async def slow() -> AsyncGenerator[bytes, None]:
            yield b"x"
            while not endless.is_set():
                await asyncio.sleep(0.01)
                yield b"x"

        with pytest.raises(MalwareError):
            await scanner.scan(slow())


async def test_an_odd_answer_to_a_ping():
    async with stand_in(b"PANG\0") as scanner:
        await scanner.check()
        assert "'PANG'" in scanner.fault


async def test_a_stop_does_not_wait_for_clamd():
    async with stand_in(b"", hold=True, seconds=600) as scanner:
        asking = asyncio.gather(*(scanner.scan(pieces(b"x")) for _ in range(9)), return_exceptions=True)
        while len(scanner.serving) < 4:
            await asyncio.sleep(0)
        assert scanner.scans == 9
        scanner.close()
        assert {getattr(each, "code", each) for each in await asking} == {StorageErrorCode.UNSCANNED}
        assert (await refusal(scanner)).code is StorageErrorCode.UNSCANNED


async def test_no_upload_is_stored_that_was_not_passed(tmp_path: Path, clock, owner, put, running_clamd):
    told = []

    async def infected(*what) -> None:
        told.append(what)

    scanner = Scanner(ScannerSettings(unix=str(running_clamd.socket)))
    storage = StorageManager(tmp_path, StorageSettings(), clock, scanner=scanner, infected=infected)
    await storage.open()
    kept = await put(storage, s.png())
    with pytest.raises(MalwareError):
        await put(storage, EICAR, name="a.txt")
    (said,) = told
    assert (said[0], said[2]) == (owner, SIGNATURE)
    with pytest.raises(StorageError) as caught:
        await put(storage, s.png_of(2 * STREAM_BYTES_MAX))
    assert caught.value.code is StorageErrorCode.UNSCANNED
    assert [path.name for path in (tmp_path / "storage").rglob("*") if path.is_file()] == [kept.storage_name]
    assert storage.ledger.used(owner).files == 1
    await storage.close()
    assert scanner.scans == 3


async def test_nobody_needs_to_be_told(tmp_path: Path, clock, put, running_clamd):
    storage = StorageManager(
        tmp_path, StorageSettings(), clock, scanner=Scanner(ScannerSettings(unix=str(running_clamd.socket)))
    )
    await storage.open()
    with pytest.raises(MalwareError):
        await put(storage, EICAR, name="a.txt")
    await storage.close()
