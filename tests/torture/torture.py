"""Kills, power cuts, faults and damage under load: `torture.py --kills 50 --cuts 20 --seed 1`; see `--help`.

The last line has the figures; the exit code is 0 only when every count that must be none is none. A round's choices follow
from the seed alone; what the daemon makes of them in time does not.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE), str(ROOT / "tests" / "e2e" / "support")]

import torture_cuts  # noqa: E402 - found by the line above
import torture_damage  # noqa: E402
import torture_disk  # noqa: E402
import torture_faults  # noqa: E402
import torture_kills  # noqa: E402
from torture_check import ZEROS, Findings  # noqa: E402
from torture_rounds import Job, Outcome  # noqa: E402


class Part(NamedTuple):
    """A part of the harness: how one job is done, how many rounds a job has, and why it cannot be done here, or "".

    `alone`: nothing else runs meanwhile, for the job looks at how fast it is answered.
    """

    do: Callable[[Path, Job, Callable[[str], None]], Outcome]
    rounds: int
    missing: Callable[[], str]
    alone: bool = False


PARTS = {
    "kills": Part(torture_kills.kill, 20, lambda: ""),
    "cuts": Part(torture_cuts.cut, torture_cuts.ROUNDS, torture_disk.missing),
    "faults": Part(torture_faults.fault, 1, lambda: "", alone=True),
    "flips": Part(torture_damage.damage, torture_damage.ROUNDS, lambda: ""),
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="kills at random moments and at system calls")
    parser.add_argument("--cuts", type=int, default=20, help="power cuts of an ext4 image; needs root")
    parser.add_argument("--faults", type=int, default=12, help=f"of {', '.join(torture_faults.KINDS)}, in turn")
    parser.add_argument("--flips", type=int, default=100, help="bits flipped in bases and files")
    parser.add_argument("--first", type=int, default=0, help="number of the first round: begin where a fault was")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts to run, of {','.join(PARTS)}")
    parser.add_argument("--jobs", type=int, default=2, help="processes beside each other")
    parser.add_argument("--wrong", default="", help="a build that is wrong on purpose: see wrong_build.py")
    parser.add_argument("--stop-at-fault", action="store_true", help="end with the first round that leaves a fault")
    parser.add_argument("--quiet", action="store_true", help="tell the figures only")
    parser.add_argument("--keep", action="store_true", help="leave the folders in place")
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name]
    if unknown := set(args.only) - PARTS.keys():
        parser.error(f"--only: no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return args


def jobs(args: argparse.Namespace) -> Iterator[Job]:
    """Cut the work into jobs, each with a seed of its own."""
    for name in args.only:
        wanted, size = getattr(args, name), PARTS[name].rounds
        for number in range(args.first, args.first + wanted, size):
            count = min(size, args.first + wanted - number)
            yield Job(name, number, count, f"{args.seed}-{name}-{number}", args.wrong, args.stop_at_fault)


def do(job: Job, folder: Path, *, quiet: bool) -> Outcome:
    """Do one job in a folder of its own."""
    own = folder / f"{job.part}-{job.number}"
    own.mkdir()
    try:
        return PARTS[job.part].do(own, job, (lambda _text: None) if quiet else say)
    except Exception:  # as text: not every exception can be sent to another process
        raise RuntimeError(f"{job}: {traceback.format_exc()}") from None
    finally:
        if not quiet and any(own.glob("*.log")):
            (own / "data.log").rename(folder / f"{own.name}.log")
        shutil.rmtree(own, ignore_errors=True)


def say(text: str) -> None:
    """Write a line at once, whole."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(args: argparse.Namespace, folder: Path) -> list[Outcome]:
    """Do all jobs, those beside each other that may be."""
    outcomes: list[Outcome] = []
    for alone in (False, True):
        chosen = [job for job in jobs(args) if PARTS[job.part].alone is alone]
        outcomes += run_beside(chosen, folder, 1 if alone else args.jobs, args)
        if args.stop_at_fault and any(outcome.found for outcome in outcomes):
            break
    return outcomes


def run_beside(chosen: list[Job], folder: Path, workers: int, args: argparse.Namespace) -> list[Outcome]:
    """Do jobs, some beside each other."""
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        started: list[Future[Outcome]] = [pool.submit(do, job, folder, quiet=args.quiet) for job in chosen]
        try:
            for done in as_completed(started):
                outcomes.append(done.result())
                if outcomes[-1].found and args.stop_at_fault:
                    break
        finally:
            pool.shutdown(cancel_futures=True)
    return outcomes


def total(outcomes: Iterable[Outcome]) -> tuple[Counter[str], Findings]:
    """Add up what was counted and found."""
    figures: Counter[str] = Counter()
    findings = Findings()
    for outcome in outcomes:
        for name, value in outcome.figures.items():
            figures[name] = max(figures[name], value) if name.endswith("_max") else figures[name] + value
        findings.update(outcome.found)
        findings.shown += [f"{outcome.job.part} from {outcome.job.number}: {text}" for text in outcome.shown]
    return figures, findings


def main() -> int:
    """Run the harness in a folder of its own."""
    args = arguments()
    began = time.monotonic()
    for name in list(args.only):
        if reason := PARTS[name].missing():
            say(f"left out {name}: {reason}")
            args.only.remove(name)
    if "kills" in args.only and (reason := torture_kills.missing()):
        say(f"left out kills at system calls: {reason}")
    if "cuts" in args.only:
        for image in torture_disk.release_stale():
            say(f"released {image}, left by a harness that was killed")
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        figures, findings = total(run(args, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for text in findings.shown[:20]:
        say(text)
    figures["seconds"] = round(time.monotonic() - began)
    told = {"seed": args.seed, **figures, **{name: findings[name] for name in ZEROS}}
    say(" ".join(f"{name}={value}" for name, value in told.items()))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
