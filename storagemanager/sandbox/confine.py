"""What a process of the pool gives up before it sees its first file."""

import ctypes
import os
import resource
import signal
import struct
import threading
from pathlib import Path

from storagemanager.sandbox.model import Limits

DESCRIPTORS_MAX = 32
THREADS_MAX = 8

_PAGE_BYTES = resource.getpagesize()
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_NO_DUMPS, _NO_NEW_PRIVILEGES = 4, 38
# These three numbers are the same on every architecture.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_EXECUTE, _READ_FILE, _READ_FOLDER = 1, 4, 8
# How many rights over files each version of the interface knows; from the fourth on also TCP's bind and connect.
_RIGHTS = (0, 13, 14, 15, 15, 16)
_TCP_VERSION, _TCP_RIGHTS = 4, 3


def confine(limits: Limits) -> None:
    """Bound memory, descriptors, threads; forbid writing files, programs and the network as far as the system can.

    The limits of `resource` hold everywhere. The network and the rights over files depend on the kernel: what it
    refuses is left, because the limits alone already keep the process from writing a byte to a file.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_DUMPS, 0, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.unshare(_NEW_USER | _NEW_NETWORK) == 0:
        _bound_threads()
    _take_rights(libc)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_NOFILE, DESCRIPTORS_MAX)
    _bound(resource.RLIMIT_AS, _used_bytes() + limits.memory_bytes)


def _bound(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


def _bound_threads() -> None:
    """Allow a few threads, which decoders of HEIC want, and no more.

    In a user namespace of its own only the process itself counts. Older kernels count all that the user runs: there the
    bound would forbid the first thread, and is left out.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (THREADS_MAX, hard))
    probe = threading.Thread(target=int)
    try:
        probe.start()
    except RuntimeError:
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
        return
    probe.join()
    _bound(resource.RLIMIT_NPROC, THREADS_MAX)


def start_clocks(limits: Limits) -> None:
    """Let the kernel end the process when one file takes too long, even while no Python runs."""
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    # The pool looks at the other clock itself; this is for a process that has lost its pool.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds_max + limits.seconds)


def stop_clocks() -> None:
    """Stop both clocks: waiting for the next file takes as long as it takes."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)


def _used_bytes() -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * _PAGE_BYTES


def _take_rights(libc: ctypes.CDLL) -> None:
    """Give up, for good, every right over files but reading, and TCP (Landlock)."""
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return
    known = (1 << _RIGHTS[min(version, len(_RIGHTS) - 1)]) - 1
    handled = struct.pack("=Q", known & ~(_READ_FILE | _READ_FOLDER) | _EXECUTE)
    if version >= _TCP_VERSION:
        handled += struct.pack("=Q", _TCP_RIGHTS)
    rules = libc.syscall(_CREATE_RULESET, handled, len(handled), 0)
    if rules >= 0:
        libc.syscall(_RESTRICT_SELF, rules, 0)
        os.close(rules)
