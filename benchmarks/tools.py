"""The programs a benchmark needs: found, installed by apt-get when that is allowed, or built."""

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.model import NotMeasuredError
from benchmarks.session import BUILD, Session

PACKAGES = {"redis-server": "redis-server", "nginx": "nginx", "wrk": "wrk", "cc": "gcc libc6-dev"}
ELSEWHERE = "/usr/sbin:/sbin:/usr/local/sbin"
SOURCE = Path(__file__).parent / "load.c"


def find(program: str) -> str | None:
    """The program's path, also outside a user's PATH."""
    return shutil.which(program) or shutil.which(program, path=ELSEWHERE)


def require(session: Session, program: str) -> str:
    """The program's path; where it is missing and this is root, it is installed first."""
    found = find(program)
    if found:
        return found
    if not is_root() or not shutil.which("apt-get"):
        raise NotMeasuredError(f"{program} is not installed, and installing it needs root and apt-get")
    return session.shared(f"tool {program}", lambda: _install(session, program))


def _install(session: Session, program: str) -> str:
    session.progress.step(f"installing {program} by apt-get")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    options = ["-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES[program].split()]):
        try:
            done = subprocess.run(
                ["apt-get", *options, *arguments], env=quiet, capture_output=True, timeout=300, check=False
            )
        except subprocess.TimeoutExpired:
            raise NotMeasuredError(f"{program} is not installed, and apt-get took too long") from None
    found = find(program)
    if not found:
        raise NotMeasuredError(f"{program} is not installed, and apt-get failed: {done.stderr.decode()[-200:]}")
    return found


def load_generator(session: Session) -> Path:
    """The compiled load generator, built anew when its source is newer."""
    return session.shared("load generator", lambda: _compile(session))


def _compile(session: Session) -> Path:
    target = BUILD / "load"
    if target.exists() and target.stat().st_mtime > SOURCE.stat().st_mtime:
        return target
    compiler = find("cc") or find("gcc") or require(session, "cc")
    fresh = session.scratch / "load"
    done = subprocess.run(
        [compiler, "-O2", "-o", str(fresh), str(SOURCE)], capture_output=True, timeout=120, check=False
    )
    if done.returncode:
        raise NotMeasuredError(f"the load generator does not compile: {done.stderr.decode()[-300:]}")
    fresh.replace(target)
    return target


def is_root() -> bool:
    """Whether this process may change users."""
    return os.geteuid() == 0
