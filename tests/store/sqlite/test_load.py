"""The loading of the big tables: what is packed on its way comes out as it is, and what is damaged is named."""

import sqlite3

import pytest

from kycmanager.ports import StoreRefused
from kycmanager.store.sqlite import SqliteStore, load, sums
from kycmanager.store.sqlite.columns import COLUMNS, PACKED, SELECT

STRANGE = ["", "plain", "Zo\u00eb \U0001f600", 'a"b\\c\n\t\x00\x1f\x7f', "{}", "[1]", "null", "1e5", "\u2028"]
NUMBERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]


def names_of(table):
    return [name.strip() for name in COLUMNS[table].split(",")]


def fill(db, table, count):
    """Rows of every kind of text and number, answers in clear and sealed, each with its sum."""
    types = {row[1]: row[2] for row in db.execute(f"PRAGMA table_info({table})")}
    names = names_of(table)
    rows = []
    for number in range(1, count + 1):
        values = {
            name: STRANGE[(number + at) % len(STRANGE)]
            if types[name] == "TEXT"
            else NUMBERS[(number + at) % len(NUMBERS)]
            for at, name in enumerate(names)
        }
        values["id"] = number
        if table == "profile":
            values["customer_id"] = number  # with the brand it is unique
        if table == "step" and number % 3 == 0:
            values["answers"] = bytes(range(number % 256))
        rows.append(tuple(values[name] for name in names))
    others = [name for name in types if name not in (*names, "sum")]
    marks = ", ".join("?" * (len(names) + 1 + len(others)))
    db.executemany(
        f"INSERT INTO {table} ({', '.join((*names, 'sum', *others))}) VALUES ({marks})",
        [(*row, *[0] * len(others)) for row in sums.sealed(rows)],
    )
    db.commit()


@pytest.fixture
async def base(path):
    store = SqliteStore(path)
    await store.open()
    await store.close()
    return path


@pytest.mark.parametrize("table", sorted(PACKED))
async def test_packed_rows_are_those_of_the_table(base, table):
    db = sqlite3.connect(base)
    fill(db, table, 2 * load.CHECKED_ROWS + 5)
    asked = []
    db.set_trace_callback(asked.append)
    found = list(load._packed_chunks(db, table))
    assert [len(rows) for rows in found] == [load.CHECKED_ROWS, load.CHECKED_ROWS, 5]
    assert len(asked) == 1
    assert found == list(load._chunks(db, table))
    assert not [row for rows in found for row in sums.damaged(rows)]
    db.close()


@pytest.mark.parametrize("harm", ["x'00'", "9e999", "CAST(x'ff' AS TEXT)"])
async def test_what_cannot_be_packed_is_read_as_it_is(base, harm):
    db = sqlite3.connect(base)
    fill(db, "step", 3 * load.CHECKED_ROWS)
    db.execute(f"UPDATE step SET name = {harm}, code = {harm} WHERE id = {load.CHECKED_ROWS + 9}")
    db.text_factory = bytes
    plain = [row[0] for row in db.execute(f"{SELECT['step']} ORDER BY id")]
    db.text_factory = lambda text: text.decode(errors="replace")
    found = [row[0] for rows in load._packed_chunks(db, "step") for row in rows]
    assert found == plain
    db.close()


async def test_a_damaged_row_is_named(path, kit):
    store = SqliteStore(path, clock=lambda: kit.NOW)
    await store.open()
    await store.commit(kit.batch(*range(1, 601)))
    await store.close()
    db = sqlite3.connect(path)
    db.execute("UPDATE profile SET brand = x'62' WHERE id = 300")
    db.commit()
    db.close()
    store = SqliteStore(path, clock=lambda: kit.NOW)
    await store.open()
    with pytest.raises(StoreRefused, match="the row of profile 300 is not as it was written"):
        await store.load(kit.silent)
    await store.close()
