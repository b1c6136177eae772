"""A process of the pool whose tasks do what files must not be able to do."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from storagemanager.sandbox import Task
from storagemanager.sandbox.child import Handler, main


def reads(descriptor: int, _request: None) -> bytes:
    return os.pread(descriptor, 100, 0)


def burns(_descriptor: int, _request: None) -> None:
    while True:
        pass


def burns_in_c(_descriptor: int, _request: None) -> None:
    pow(7, 10**9)


def hangs(_descriptor: int, _request: None) -> None:
    while True:
        time.sleep(60)


def hoards(_descriptor: int, request: int) -> int:
    return len(bytearray(request))


def crashes(_descriptor: int, _request: None) -> None:
    ctypes.string_at(8)


def leaves(_descriptor: int, request: int) -> None:
    os._exit(request)


def dies(_descriptor: int, request: int) -> None:
    os.kill(os.getpid(), request)


def raises(_descriptor: int, request: str) -> None:
    raise RuntimeError(request)


def answers(_descriptor: int, request: int) -> bytes:
    return b"x" * request


def floods(_descriptor: int, _request: None) -> None:
    """Tell the pool of an answer that is far too long, as a process that was taken over might."""
    os.write(int(sys.argv[1]), b"\xff\xff\xff\xff")
    hangs(0, None)


def babbles(_descriptor: int, _request: None) -> None:
    os.write(int(sys.argv[1]), b"\0\0\0\2\xc1\xc1")
    hangs(0, None)


def tries(descriptor: int, request: str) -> list[str]:
    """Try everything that a taken over process would; return what went through."""

    def write_to_the_file() -> None:
        os.write(os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR), b"!")

    attempts = {
        "write": lambda: os.write(descriptor, b"!"),
        "reopen and write": write_to_the_file,
        "truncate": lambda: os.ftruncate(descriptor, 0),
        "truncate by name": lambda: os.truncate(f"/proc/self/fd/{descriptor}", 0),
        "make a file": lambda: Path(request, "made").touch(),
        "make a folder": lambda: Path(request, "folder").mkdir(),
        "remove a file": lambda: Path(request, "victim").unlink(),
        "run a program": lambda: subprocess.run(["/bin/true"], check=True),
        "connect": lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)),
        "many descriptors": lambda: [os.dup(0) for _ in range(100)],
    }
    through = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        through.append(name)
    return through


ROWS: dict[str, tuple[type, type, Any]] = {
    "reads": (type(None), bytes, reads),
    "burns": (type(None), type(None), burns),
    "burns in C": (type(None), type(None), burns_in_c),
    "hangs": (type(None), type(None), hangs),
    "hoards": (int, int, hoards),
    "crashes": (type(None), type(None), crashes),
    "leaves": (int, type(None), leaves),
    "dies": (int, type(None), dies),
    "raises": (str, type(None), raises),
    "answers": (int, bytes, answers),
    "answers otherwise": (int, int, answers),
    "floods": (type(None), type(None), floods),
    "babbles": (type(None), type(None), babbles),
    "tries": (str, list, tries),
}
TASKS = {name: Task(name, request, answer) for name, (request, answer, _) in ROWS.items()}

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main({name: Handler(TASKS[name], run) for name, (_, _, run) in ROWS.items()})
