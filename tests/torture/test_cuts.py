"""Power cuts, shortly: nothing that was acknowledged is lost; builds that do not flush, or too late, lose it."""

import pytest
import torture_disk

pytestmark = [pytest.mark.usefixtures("disks"), pytest.mark.timeout(260)]


def test_what_was_acknowledged_survives_a_power_cut(tortured):
    told = tortured("--only", "cuts", "--cuts", "6", "--seed", "7")
    assert (told.code, told.faults) == (0, set()), told.text
    assert (told["cuts_bare"], told["cuts_journal"]) == (5, 1)
    assert told["acknowledged"] > 100


@pytest.mark.parametrize(
    ("build", "noticed"),
    [
        ("synchronous-off", {"lost", "not_started", "feed_gaps"}),
        ("no-folder-fsync", {"rows_without_file"}),
        ("no-file-fsync", {"rows_without_file"}),
        ("row-before-file", {"rows_without_file"}),
    ],
)
def test_a_wrong_build_is_noticed(tortured, build, noticed):
    told = tortured("--only", "cuts", "--cuts", "30", "--seed", "5", "--wrong", build, "--stop-at-fault")
    assert told.code == 1, told.text
    assert told.faults & noticed, told.text


def test_the_disk_loses_what_was_not_flushed(tmp_path):
    for kind in ("bare", "journal"):
        folder = tmp_path / kind
        folder.mkdir()
        disk = torture_disk.Disk(folder, kind)
        try:
            disk.make()
            with (disk.mount / "flushed").open("wb") as file:
                file.write(b"kept")
                file.flush()
                torture_disk.os.fsync(file.fileno())
            (disk.mount / "loose").write_bytes(b"gone")
            disk.stop()
            with pytest.raises(OSError):
                (disk.mount / "late").write_bytes(b"refused")
            disk.restart()
            assert (disk.mount / "flushed").read_bytes() == b"kept"
            loose = disk.mount / "loose"
            assert not loose.exists() or loose.read_bytes() == b""
        finally:
            disk.release()
        assert not disk.mount.is_mount()
