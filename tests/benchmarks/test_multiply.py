"""A multiplied base is one as the daemon writes it: it verifies, opens, and holds everything so many times."""

import sqlite3
import subprocess
import sys

import pytest

from benchmarks import multiply, multiply_files, product, samples, seeding
from benchmarks.progress import Progress
from benchmarks.session import opened

PROFILES, TIMES = 3, 4


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.session.BUILD", tmp_path)
    with Progress() as progress, opened(progress, quick=True) as session:
        with product.serving(session) as daemon:
            token = daemon.token()
            seed = seeding.fill(daemon.tcp, token, PROFILES)
            seeding.attach(daemon.tcp, daemon.http, token, seed, 2)
        yield product.Base(daemon.data, seed)


def test_a_base_many_times_over(base):
    told = []
    seed = multiply.multiply(base.folder, base.seed, TIMES, told.append)
    count = PROFILES * TIMES
    assert told[-1] == count
    assert sorted(seed.profiles) == list(range(1, count + 1))
    assert sorted(step for steps in seed.steps for step in steps) == list(range(1, count * samples.STEPS + 1))

    db = sqlite3.connect(base.folder / "bases" / "kyc.db")
    for kyc_id, steps in zip(seed.profiles, seed.steps, strict=True):
        assert [row[0] for row in db.execute("SELECT id FROM step WHERE kyc_id = ? ORDER BY id", (kyc_id,))] == steps
    files = [row[0] for row in db.execute("SELECT file_id FROM document")]
    assert len(set(files)) == len(files) == count * 2
    assert len(list((base.folder / "storage").glob("*.csv.sealed"))) == count * 2
    assert db.execute("SELECT count(*) FROM file_key").fetchone() == (count * 2,)
    (last,) = db.execute("SELECT max(seq) FROM event").fetchone()
    assert db.execute("SELECT count(DISTINCT seq) FROM event").fetchone() == (last,)
    assert db.execute("SELECT cursor FROM tally_mark").fetchone() == (last,)
    (last_audit,) = db.execute("SELECT count(*) FROM audit").fetchone()
    db.close()

    proof = subprocess.run(
        [sys.executable, "-m", "kycmanager", "audit", "verify", "--data", str(base.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert proof.returncode == 0, proof.stderr
    found = subprocess.run(
        [sys.executable, "-m", "kycmanager", "verify", "--data", str(base.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    # Only the files of copies are at fault: they have the keys of their models.
    records = count * (1 + samples.STEPS + 2) + samples.STEPS
    assert (
        f"records {records}, audit rows {last_audit}, files {len(files)}; faults {len(files) - PROFILES * 2}\n"
        in found.stdout
    )


def test_the_uuid_of_a_copy():
    uuid = "5d1f3a52-0000-4000-8000-0123456789ab"
    assert multiply_files.uuid_of_copy(uuid, 255) == "5d1f3a52-0000-4000-8000-0123000000ff"
