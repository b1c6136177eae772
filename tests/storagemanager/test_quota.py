"""Quotas: exact counts, room reserved before the bytes, nothing left counted of what failed."""

import asyncio
from pathlib import Path

import pytest
import storage_samples as s

from storagemanager import Limits, Owner, QuotaError, StorageError, StorageErrorCode, StorageManager, StorageSettings
from storagemanager.metadata import Metadata
from storagemanager.quota import Ledger, Usage, hour_start

SEVEN = Owner(kind="customer", id=7, brand="alpha")
EIGHT = Owner(kind="customer", id=8, brand="alpha")
BOSS = Owner(kind="manager", id=1, brand="alpha")
ELSEWHERE = Owner(kind="customer", id=7, brand="beta")


def limits_of(owner: Owner) -> Limits:
    brand = {"brand_files_max": 6, "brand_bytes_max": 400_000} if owner.brand == "alpha" else {}
    if owner.kind != "customer":
        return Limits(**brand)
    return Limits(owner_files_max=3, owner_bytes_max=100_000, owner_uploads_per_hour_max=20, **brand)


@pytest.fixture
async def storage(tmp_path: Path, clock):
    opened = StorageManager(tmp_path, StorageSettings(), clock, limits_of=limits_of)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def ledger(clock) -> Ledger:
    return Ledger(limits_of, clock)


def refusal(caught: pytest.ExceptionInfo[QuotaError]) -> tuple[str, str, int, int]:
    error = caught.value
    return error.code.value, error.quota, error.used, error.limit


async def test_files_of_one_owner(storage, put):
    for _ in range(3):
        await put(storage, s.png(), owner=SEVEN)
    with pytest.raises(QuotaError) as caught:
        storage.receive(original_name="a.png", declared_type="", owner=SEVEN, purpose="", scope=0)
    assert refusal(caught) == ("QUOTA", "customer_files", 3, 3)
    assert str(caught.value) == "customer_files: has no room left: 3 of 3 files are used"
    await put(storage, s.png(), owner=EIGHT)
    await put(storage, s.png(), owner=ELSEWHERE)
    assert storage.ledger.refusals == 1


async def test_bytes_are_refused_as_they_come_and_nothing_stays(storage, put, tmp_path):
    await put(storage, s.png_of(60_000), owner=SEVEN)
    with pytest.raises(QuotaError) as caught:
        await put(storage, s.png_of(50_000), owner=SEVEN, step=10_000)
    assert refusal(caught) == ("QUOTA", "customer_bytes", 100_000, 100_000)
    assert storage.ledger.used(SEVEN) == Usage(1, 60_000)
    assert len([path for path in (tmp_path / "storage").rglob("*") if path.is_file()]) == 1
    await put(storage, s.png_of(40_000), owner=SEVEN)
    assert storage.ledger.used(SEVEN) == Usage(2, 100_000)


async def test_a_length_told_is_refused_at_once_and_an_untrue_one_is_not_counted_in_the_end(storage):
    fields = {"original_name": "a.png", "declared_type": "", "owner": SEVEN, "purpose": "", "scope": 0}
    with pytest.raises(QuotaError) as caught:
        storage.receive(**fields, length_hint=100_001)
    assert refusal(caught) == ("QUOTA", "customer_bytes", 0, 100_000)
    upload = storage.receive(**fields, length_hint=90_000)
    assert storage.ledger.used(SEVEN) == Usage(1, 90_000)
    await upload.write(s.png())
    meta = await upload.finish()
    assert storage.ledger.used(SEVEN) == Usage(1, meta.file_size)


async def test_uploads_that_run_together_cannot_pass_together(storage, put):
    together = await asyncio.gather(
        *(put(storage, s.png_of(30_000), owner=SEVEN, step=1000) for _ in range(12)), return_exceptions=True
    )
    stored = [each for each in together if not isinstance(each, Exception)]
    refused = [each for each in together if isinstance(each, QuotaError)]
    assert (len(stored), len(refused)) == (3, 9)
    assert storage.ledger.used(SEVEN) == Usage(3, 90_000)
    more = await asyncio.gather(
        *(put(storage, s.png_of(30_000), owner=BOSS, step=1000) for _ in range(12)), return_exceptions=True
    )
    assert {each.quota for each in more if isinstance(each, QuotaError)} == {"brand_files"}
    assert storage.ledger.used_by_brand("alpha").files == 6


async def test_bytes_of_uploads_that_run_together_never_pass_the_brand(storage, put):
    many = await asyncio.gather(
        *(put(storage, s.png_of(90_000), owner=BOSS, step=7000) for _ in range(6)), return_exceptions=True
    )
    assert {each.quota for each in many if isinstance(each, QuotaError)} == {"brand_bytes"}
    used = storage.ledger.used_by_brand("alpha")
    assert used.file_bytes == 90_000 * used.files <= 400_000


async def test_what_fails_or_is_dropped_gives_its_room_back(storage, put):
    with pytest.raises(StorageError, match="the content is"):
        await put(storage, b"no picture", owner=SEVEN)
    upload = storage.receive(original_name="a.png", declared_type="", owner=SEVEN, purpose="", scope=0)
    await upload.write(s.png())
    assert storage.ledger.used(SEVEN) == Usage(1, len(s.png()))
    await upload.abort()
    await upload.abort()
    assert storage.ledger.used(SEVEN) == storage.ledger.used_by_brand("alpha") == Usage()
    assert storage.ledger._owners == storage.ledger._brands == {}


async def test_a_file_that_expires_makes_room(storage, put, clock):
    for _ in range(3):
        await put(storage, s.png(), owner=SEVEN)
    clock.now += 10**6
    assert await storage.expire(clock.now) == 3
    assert storage.ledger.used(SEVEN) == Usage()


async def test_another_owner_takes_the_room_along(storage, put):
    for _ in range(3):
        await put(storage, s.png(), owner=EIGHT)
    upload = storage.receive(original_name="a.png", declared_type="", owner=SEVEN, purpose="", scope=0)
    await upload.write(s.png_of(5000))
    with pytest.raises(QuotaError) as caught:
        upload.relabel(owner=EIGHT)
    assert refusal(caught)[1:] == ("customer_files", 3, 3)
    assert (storage.ledger.used(SEVEN), upload.state) == (Usage(1, 5000), "open")
    upload.relabel(owner=ELSEWHERE)
    assert storage.ledger.used(SEVEN) == Usage()
    await upload.finish()
    assert storage.ledger.used(ELSEWHERE) == Usage(1, 5000)


async def test_the_counts_are_those_of_the_base_after_a_restart(storage, put, clock, tmp_path):
    for owner, size in ((SEVEN, 2000), (SEVEN, 3000), (BOSS, 4000), (ELSEWHERE, 5000)):
        await put(storage, s.png_of(size), owner=owner)
    before = dict(storage.ledger._owners), dict(storage.ledger._brands), dict(storage.ledger._begun)
    await storage.close()
    again = StorageManager(tmp_path, StorageSettings(), clock, limits_of=limits_of)
    await again.open()
    assert (again.ledger._owners, again.ledger._brands, again.ledger._begun) == before
    assert again.ledger.used(SEVEN) == Usage(2, 5000)
    await again.close()


async def test_a_file_whose_row_may_be_there_counts_until_the_next_start(storage, put, monkeypatch):
    async def lost(self, *_):
        raise StorageError(StorageErrorCode.OUTCOME_UNKNOWN, "storage", "the commit failed")

    monkeypatch.setattr(Metadata, "insert", lost)
    with pytest.raises(StorageError, match="the commit failed"):
        await put(storage, s.png(), owner=SEVEN)
    assert storage.ledger.used(SEVEN) == Usage(1, len(s.png()))


def test_uploads_of_an_hour(ledger, clock):
    clock.now = hour_start(clock.now) + 600
    for _ in range(20):
        ledger.reserve(SEVEN, 0).release()
    with pytest.raises(QuotaError) as caught:
        ledger.reserve(SEVEN, 0)
    assert refusal(caught) == ("RATE", "customer_uploads_per_hour", 20, 20)
    assert str(caught.value).endswith("20 of 20 uploads of this hour; try again in 3000 s")
    ledger.reserve(EIGHT, 0)
    clock.now += 3000
    ledger.reserve(SEVEN, 0)


def test_a_refused_upload_is_no_upload_of_the_hour(ledger):
    for _ in range(30):
        with pytest.raises(QuotaError):
            ledger.reserve(SEVEN, 100_001)
    assert ledger._begun == {}


def test_what_ended_once_ends_no_second_time(ledger):
    first, second = ledger.reserve(SEVEN, 10), ledger.reserve(SEVEN, 10)
    first.keep(8)
    first.release()
    first.keep(3)
    second.release()
    second.keep(5)
    assert ledger.used(SEVEN) == Usage(1, 8)
