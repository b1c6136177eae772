"""The heads of the audit's chain outside the base: what is written down, and which bases they let in."""

import shutil
import sqlite3

import msgspec
import pytest

from kycmanager.ports import StoreRefused
from kycmanager.store.sqlite import SqliteStore, schema
from kycmanager.store.sqlite.chain import Head
from kycmanager.store.sqlite.heads import HeadFile, line_of


@pytest.fixture
def heads(tmp_path):
    return HeadFile(tmp_path / "audit" / "heads.log")


@pytest.fixture
def opened(path, heads):
    """Open the store with its heads, do something, close it."""

    async def run(*work):
        store = SqliteStore(path, clock=lambda: 1_800_000_000, heads=heads.path)
        try:
            await store.open()
            for each in work:
                await each(store)
        finally:
            await store.close()
        return store

    return run


def commit(batch):
    return lambda store: store.commit(batch)


def tell(store):
    return store.tell_head()


async def test_a_head_is_written_when_there_is_something_new(opened, heads, kit):
    await opened(tell, commit(kit.batch(1)), tell, tell, commit(kit.batch(2)), commit(kit.batch(3)), tell)
    lines = list(heads.lines())
    assert [(line.time, line.audit, line.link, line.note) for line in lines] == [
        (1_800_000_000, 1, 1, ""),
        (1_800_000_000, 3, 3, ""),
    ]
    assert lines[-1] == heads.last()
    assert heads.path.stat().st_mode & 0o777 == 0o600
    await opened(tell)
    assert len(list(heads.lines())) == 2


async def test_a_base_without_heads_writes_none(path, kit, tmp_path):
    store = SqliteStore(path)
    await store.open()
    await store.commit(kit.batch(1))
    await store.tell_head()
    await store.close()
    assert not (tmp_path / "audit").exists()


async def test_a_base_older_than_its_last_head_is_refused(opened, heads, kit, path, tmp_path):
    await opened(commit(kit.batch(1)), tell)
    shutil.copy(path, tmp_path / "old.db")
    await opened(commit(kit.batch(2)), tell)
    shutil.copy(tmp_path / "old.db", path)
    with pytest.raises(StoreRefused, match=r"ends before audit row 2.*kycmanager audit accept"):
        await opened()
    heads.append(line_of(Head(*_head(path)), 5, "put back"))
    await opened(commit(kit.batch(2)), tell)
    assert [line.note for line in heads.lines()] == ["", "", "put back", ""]


def _head(path):
    db = sqlite3.connect(path)
    found = db.execute("SELECT id, last_id, hash FROM audit_link ORDER BY id DESC LIMIT 1").fetchone()
    db.close()
    return found


async def test_a_base_that_is_gone_is_never_replaced_by_an_empty_one(opened, heads, kit, path):
    await opened(commit(kit.batch(1)), tell)
    path.unlink()
    with pytest.raises(StoreRefused, match="ends before audit row 1"):
        await opened()
    assert not path.exists()


async def test_a_base_with_another_past_is_refused(opened, heads, kit, path):
    await opened(commit(kit.batch(1, comment="one")), tell)
    path.unlink()
    store = SqliteStore(path)
    await store.open()
    await store.commit(kit.batch(1, comment="two"))
    await store.close()
    with pytest.raises(StoreRefused, match=r"disagree: the audit up to row 1.*audit verify"):
        await opened()


async def test_missing_heads_are_refused_and_new_bases_make_them(opened, heads, kit):
    await opened()
    assert (heads.exists(), heads.last()) == (True, None)
    await opened(commit(kit.batch(1)))
    heads.path.unlink()
    with pytest.raises(StoreRefused, match=r"heads\.log is missing beside .*kyc\.db"):
        await opened()


async def test_a_base_from_before_the_chain_gets_its_heads(opened, heads, kit, path):
    db = sqlite3.connect(path, isolation_level=None)
    for script in schema.migrations()[:2]:
        db.executescript(script.read_text())
    row = msgspec.structs.astuple(kit.audit(0))[1:-1]
    marks = ", ".join("?" * 17)
    db.executemany(f"INSERT INTO audit VALUES ({marks})", [(n, *row, "{}") for n in range(1, 2502)])
    db.close()
    await opened(commit(kit.batch(2502)), tell)
    assert [(line.audit, line.link) for line in heads.lines()] == [(2502, 4)]


async def test_a_line_cut_off_by_a_crash_does_not_count_and_goes(opened, heads, kit):
    await opened(commit(kit.batch(1)), tell)
    whole = heads.path.read_bytes()
    heads.path.write_bytes(whole + whole[:40])
    assert len(list(heads.lines())) == 1
    await opened(commit(kit.batch(2)), tell)
    assert [line.audit for line in heads.lines()] == [1, 2]
    assert heads.path.read_bytes().startswith(whole)


@pytest.mark.parametrize("text", [b"{}\n", b"\n", b'{"time":1,"audit":1,"link":1,"hash":"XY"}\n', b"\xff\xfe\n"])
async def test_a_damaged_line_is_named(opened, heads, kit, text):
    await opened(commit(kit.batch(1)), tell)
    with heads.path.open("ab") as file:
        file.write(text)
    with pytest.raises(StoreRefused, match="the last line is no head"):
        await opened()
    with pytest.raises(StoreRefused, match="line 2 is no head"):
        list(heads.lines())


def test_a_note_has_a_bound(heads):
    heads.create()
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        heads.append(line_of(Head(), 1, "x" * 5000))
    assert heads.path.read_bytes() == b""
