"""How many good files of other people are accepted: `accept.py`, or `accept.py --packages pillow,pikepdf --folder DIR`.

Downloads the sources of packages that bring test files, sends every good picture and PDF (see `good_files`) through a real
storage with its default settings, and prints the shares and each refused file with the reason. The exit code is 0 only when
both shares reach their goal.
"""

import argparse
import asyncio
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from good_files import is_good, kind_of  # noqa: E402 - found by the line above

from storagemanager import Owner, StorageError, StorageManager, StorageSettings  # noqa: E402

PACKAGES = ("pillow", "pillow-heif", "pikepdf", "pypdf", "img2pdf", "reportlab", "piexif", "pdfminer.six", "exif")
GOALS = {"pictures": 99.5, "PDFs": 97.0}
"""Percent of the good files that must be accepted."""

OWNER = Owner(kind="manager", id=1, brand="acceptance")


class Outcome(NamedTuple):
    """`refused` tells the reason, "" for an accepted file."""

    path: Path
    kind: str
    refused: str


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def download(package: str, folder: Path) -> Path:
    """Fetch the sources of a package and return the folder with what is in them."""
    target = folder / package
    target.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package]
    subprocess.run([*command, "--dest", target, package], check=True, stderr=subprocess.DEVNULL)
    (archive,) = target.iterdir()
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as found:
            found.extractall(target)
    else:
        with tarfile.open(archive) as found:
            if hasattr(tarfile, "data_filter"):  # from 3.11.4 on
                found.extraction_filter = tarfile.data_filter
            found.extractall(target)
    archive.unlink()
    return target


def good_files(root: Path) -> Iterator[Path]:
    """Yield the good files below a folder."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and kind_of(path) and is_good(path, root):
            yield path


async def judged(paths: Sequence[Path], data: Path) -> list[Outcome]:
    """Send files through a storage of their own."""
    storage = StorageManager(data, StorageSettings(file_bytes_max=2**30), lambda: 1_800_000_000)
    await storage.open()
    try:
        return [await _sent(storage, path) for path in paths]
    finally:
        await storage.close()


async def _sent(storage: StorageManager, path: Path) -> Outcome:
    kind = kind_of(path)
    upload = storage.receive(original_name=f"a.{kind}", declared_type="", owner=OWNER, purpose="", scope=0)
    try:
        await upload.write(path.read_bytes())
        await upload.finish()
    except StorageError as error:
        return Outcome(path, kind, error.reason)
    return Outcome(path, kind, "")


def report(outcomes: Sequence[Outcome], root: Path) -> bool:
    """Print the figures and tell whether they are as they must be."""
    good, refused = Counter(o.kind for o in outcomes), Counter(o.kind for o in outcomes if o.refused)
    for kind in sorted(good):
        say(f"{kind:5} {good[kind] - refused[kind]:5} of {good[kind]:5}")
    say("")
    for outcome in outcomes:
        if outcome.refused:
            say(f"refused: {outcome.path.relative_to(root)}: {outcome.refused}")
    reached = True
    for name, of_kind in (("pictures", {*good} - {"pdf"}), ("PDFs", {"pdf"})):
        total = sum(good[kind] for kind in of_kind)
        taken = total - sum(refused[kind] for kind in of_kind)
        share = 100 * taken / total if total else 0.0
        reached = reached and share >= GOALS[name]
        say(f"{name}: {taken} of {total} good ones accepted, {share:.2f} %; the goal is {GOALS[name]} %")
    return reached


def main() -> int:
    """Download, judge, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", default=",".join(PACKAGES), help="the packages whose sources are judged")
    parser.add_argument("--folder", type=Path, help="a folder that holds files already; nothing is downloaded")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        root = options.folder or Path(made) / "sources"
        if options.folder is None:
            root.mkdir()
            for package in options.packages.split(","):
                say(f"downloading {package}")
                download(package, root)
        outcomes = []
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            paths = list(good_files(folder))
            say(f"judging {len(paths)} good files of {folder.name}")
            outcomes += asyncio.run(judged(paths, Path(made) / f"data-{folder.name}"))
        return 0 if report(outcomes, root) else 1


if __name__ == "__main__":
    sys.exit(main())
