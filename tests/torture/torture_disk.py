"""Disks of our own that can lose power: an ext4 image on a loop device, and a small one in memory that can be full."""

import fcntl
import itertools
import os
import shutil
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "kycmanager-torture-"
"""Images are named PREFIX PID - NUMBER .img, so that those of a harness that was killed are found and released."""

IMAGE_BYTES = 2 << 30
"""The image is sparse; it takes the room of what was written."""

_SHUTDOWN = 2 << 30 | 4 << 16 | ord("X") << 8 | 125
_NO_LOG_FLUSH = 2
"""EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: nothing more is written, not even the journal."""

_OPTIONS = {
    "journal": ("", "commit=600,noauto_da_alloc"),
    "bare": ("^has_journal,^extent,^64bit,^metadata_csum", "noauto_da_alloc"),
}
"""Kinds of disks: what mkfs.ext4 leaves out, and how it is mounted.

`journal` is what most machines have, told not to flush by itself: there any fsync takes all names before it along. `bare`
has no journal: an fsync is good for its own file or folder and nothing else, as the manual promises and no more. It has no
extents either: the repair after a cut drops a whole one, flushed blocks and all, when its end was under way.
"""
_numbers = itertools.count(1)


class Disk:
    """A mounted image. `cut` takes its power away; `release` at the end, always."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.mount = folder / "disk"
        self.kind = kind
        self._features, self._options = _OPTIONS[kind]
        self._image = folder / f"{PREFIX}{os.getpid()}-{next(_numbers)}.img"
        self._loop = ""

    def make(self) -> None:
        """Format and mount it."""
        self.mount.mkdir()
        with self._image.open("wb") as image:
            image.truncate(IMAGE_BYTES)
        features = ("-O", self._features) if self._features else ()
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", *features, str(self._image))
        self._attach()

    def stop(self) -> None:
        """Lose the power: what was not flushed until now never will be; every later call of the daemon fails."""
        descriptor = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def restart(self) -> None:
        """Mount what the device held when the power went. Nobody may use the disk any more."""
        self._settle()
        held = self._image.with_suffix(".held")
        _run("cp", "--sparse=always", str(self._image), str(held))
        self._detach()  # may still write to the image, which is given up
        held.replace(self._image)
        if self.kind == "bare":
            done = subprocess.run(["e2fsck", "-f", "-y", str(self._image)], check=False, capture_output=True, text=True)
            assert done.returncode <= 2, done.stdout + done.stderr
        self._attach()

    def release(self) -> None:
        """Unmount and forget it; works in every state, and twice."""
        self._detach()
        self._image.unlink(missing_ok=True)

    def _attach(self) -> None:
        self._loop = _run("losetup", "--find", "--show", str(self._image))
        _run("mount", "-o", self._options, self._loop, str(self.mount))

    def _detach(self) -> None:
        if self._loop:
            _release(self._loop, self.mount)
            self._loop = ""

    def _settle(self) -> None:
        """Wait until the device has done what had reached it."""
        inflight = Path("/sys/block") / Path(self._loop).name / "inflight"
        while sum(map(int, inflight.read_text().split())):
            time.sleep(0.001)


class SmallDisk:
    """A disk in memory that can be filled to the last byte."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.mount = folder / "small"
        self._size = size_bytes
        self._ballast = self.mount / "ballast"

    def make(self) -> None:
        """Mount it."""
        self.mount.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={self._size}", f"{PREFIX}{os.getpid()}", str(self.mount))

    def fill(self) -> None:
        """Take all the room that is left."""
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(1 << 16))

    def relieve(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def release(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "--lazy", str(self.mount)], check=False, capture_output=True)


def missing() -> str:
    """Return why no disks can be made here, "" when they can."""
    if os.geteuid() != 0:
        return "loop devices and mounts need root"
    for tool in ("mkfs.ext4", "e2fsck", "losetup", "mount"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed (e2fsprogs, util-linux, mount)"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices"
    return ""


def release_stale() -> list[str]:
    """Release the disks of harnesses that no longer run; return their images."""
    found = []
    listed = _run("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE")
    for line in listed.splitlines():
        loop, _, image = line.strip().partition(" ")
        name = Path(image.strip().removesuffix(" (deleted)")).name
        if name.startswith(PREFIX) and not _lives(name.removeprefix(PREFIX).partition("-")[0]):
            _release(loop, None)
            Path(image.strip()).unlink(missing_ok=True)
            found.append(name)
    for line in Path("/proc/mounts").read_text().splitlines():
        source, mount, *_ = line.split()
        if source.startswith(PREFIX) and not _lives(source.removeprefix(PREFIX)):
            subprocess.run(["umount", "--lazy", mount], check=False)
            found.append(source)
    return found


def _lives(pid: str) -> bool:
    return Path("/proc", pid).exists()


def _release(loop: str, mount: Path | None) -> None:
    """Unmount a loop device wherever it is mounted, and free it; lazily where somebody still holds it."""
    held = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if line.startswith(f"{loop} ")]
    for where in held or ([str(mount)] if mount and os.path.ismount(mount) else []):
        if subprocess.run(["umount", where], check=False, capture_output=True).returncode:
            subprocess.run(["umount", "--lazy", where], check=False)
    subprocess.run(["losetup", "--detach", loop], check=False, capture_output=True)


def _run(*line: str) -> str:
    """Run a tool; once more where another process took the loop device at the same moment."""
    for attempt in range(5):
        done = subprocess.run(line, check=False, capture_output=True, text=True)
        if not done.returncode:
            break
        time.sleep(0.05 * attempt)
    assert not done.returncode, f"{' '.join(line)}: {done.stderr}"
    return done.stdout.strip()
