"""Processes that crash, hang, hoard or are killed hurt nobody but the file they worked on."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from sandbox_child import ROWS, TASKS

from storagemanager.sandbox import Failure, FailureKind, Limits, Sandbox
from storagemanager.sandbox.child import Handler, serve
from storagemanager.sandbox.process import Process, encoded
from storagemanager.workers import Workers

CHILD = (sys.executable, str(Path(__file__).parent / "support" / "sandbox_child.py"))
MIB = 1024 * 1024
QUICK = {"seconds": 0.2}


@pytest.fixture
async def pool():
    made = []

    def make(command=CHILD, **limits):
        made.append(Sandbox(Limits(**limits), command))
        return made[-1]

    yield make
    for sandbox in made:
        await sandbox.close()
        assert sandbox.pids == []


@pytest.fixture
def paper(tmp_path):
    """An open file that is worked on."""
    path = tmp_path / "paper"
    path.write_bytes(b"a page of a contract")
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)
    assert path.read_bytes() == b"a page of a contract"


async def test_warm_processes_serve_many_files_in_turn(pool, paper):
    sandbox = pool()
    assert sandbox.pids == []
    for _ in range(5):
        assert await sandbox.run(TASKS["reads"], paper, None) == b"a page of a contract"
    assert len(sandbox.pids) == 1
    assert await asyncio.gather(*(sandbox.run(TASKS["answers"], paper, n) for n in range(20))) == [
        b"x" * n for n in range(20)
    ]
    assert len(sandbox.pids) == 2 == sandbox.limits.processes_max


async def test_those_who_decode_and_hash_do_not_push_the_daemon_aside(pool, paper):
    sandbox, workers = pool(), Workers(1)
    await sandbox.run(TASKS["reads"], paper, None)
    assert os.sched_getscheduler(sandbox.pids[0]) == os.SCHED_BATCH
    assert await workers.submit(os.sched_getscheduler, 0) == os.SCHED_BATCH
    assert os.sched_getscheduler(0) != os.SCHED_BATCH
    await workers.close()


async def test_work_is_done_where_its_kind_cannot_be_told(monkeypatch):
    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    workers = Workers(1)
    assert await workers.submit(max, 1, 2) == 2
    await workers.close()


async def test_a_file_in_memory_is_read_like_one_on_the_disk(pool):
    descriptor = os.memfd_create("paper")
    os.write(descriptor, b"in memory")
    assert await pool().run(TASKS["reads"], descriptor, None) == b"in memory"
    os.close(descriptor)


async def test_long_answers_come_whole(pool, paper):
    assert len(await pool().run(TASKS["answers"], paper, 5 * MIB)) == 5 * MIB


@pytest.mark.parametrize(
    ("task", "request_", "limits", "expected"),
    [
        ("hoards", 300 * MIB, {}, Failure(FailureKind.MEMORY, "an allocation was refused")),
        ("crashes", None, {}, Failure(FailureKind.CRASH, "SIGSEGV")),
        ("leaves", 7, {}, Failure(FailureKind.CRASH, "exit code 7")),
        ("dies", int(signal.SIGABRT), {}, Failure(FailureKind.CRASH, "SIGABRT")),
        ("dies", int(signal.SIGKILL), {}, Failure(FailureKind.CRASH, "SIGKILL")),
        ("raises", "the secret of the file", {}, Failure(FailureKind.FAULT, "RuntimeError")),
        ("answers otherwise", 3, {}, Failure(FailureKind.FAULT, "an answer of another type")),
        ("floods", None, {}, Failure(FailureKind.CRASH, "the answer is too long")),
    ],
)
async def test_a_failure_is_told_and_the_next_file_finds_a_process(pool, paper, task, request_, limits, expected):
    sandbox = pool(processes_max=1, **limits)
    assert await sandbox.run(TASKS[task], paper, request_) == expected
    assert await sandbox.run(TASKS["reads"], paper, None) == b"a page of a contract"


@pytest.mark.parametrize("task", ["burns", "burns in C", "hangs"])
async def test_what_takes_too_long_is_ended(pool, paper, task):
    """Two clocks run: the kernel's of the processor, and the pool's; either may be the first to ring."""
    sandbox = pool(processes_max=1, **QUICK)
    failure = await sandbox.run(TASKS[task], paper, None)
    assert failure.kind is FailureKind.TIME
    assert failure.detail in {"the clock"} | ({"SIGPROF"} if task != "hangs" else set())
    assert await sandbox.run(TASKS["reads"], paper, None) == b"a page of a contract"


async def test_a_word_that_is_none_ends_the_process(pool, paper):
    sandbox = pool(processes_max=1)
    failure = await sandbox.run(TASKS["babbles"], paper, None)
    assert failure.kind is FailureKind.CRASH
    assert await sandbox.run(TASKS["hoards"], paper, 100 * MIB) == 100 * MIB


async def test_a_process_has_next_to_no_rights(pool, paper, tmp_path):
    (tmp_path / "victim").write_bytes(b"")
    assert await pool().run(TASKS["tries"], paper, str(tmp_path)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["paper", "victim"]


async def test_a_process_is_replaced_after_so_many_files(pool, paper):
    sandbox = pool(processes_max=1, files_max=3)
    seen = set()
    for _ in range(9):
        await sandbox.run(TASKS["reads"], paper, None)
        seen.update(sandbox.pids)
    assert len(seen) == 3


async def test_a_process_that_was_killed_between_two_files_is_replaced(pool, paper):
    sandbox = pool(processes_max=1)
    await sandbox.run(TASKS["reads"], paper, None)
    (first,) = sandbox.pids
    os.kill(first, signal.SIGKILL)
    assert await sandbox.run(TASKS["reads"], paper, None) == b"a page of a contract"
    (second,) = sandbox.pids
    os.kill(second, signal.SIGKILL)
    os.waitid(os.P_PID, second, os.WEXITED | os.WNOWAIT)
    assert await sandbox.run(TASKS["reads"], paper, None) == b"a page of a contract"
    assert sandbox.pids not in ([first], [second])


async def test_a_file_that_cannot_be_handed_over_costs_no_process(pool, paper):
    sandbox = pool(processes_max=1)
    await sandbox.run(TASKS["reads"], paper, None)
    pids = sandbox.pids
    failure = await sandbox.run(TASKS["reads"], 999_999, None)
    assert failure.kind is FailureKind.UNAVAILABLE
    assert await sandbox.run(TASKS["reads"], paper, None) == b"a page of a contract"
    assert sandbox.pids == pids


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "import nothing_of_this_name")])
async def test_a_pool_that_cannot_start_says_so(pool, paper, command):
    failure = await pool(command).run(TASKS["reads"], paper, None)
    assert failure.kind is FailureKind.UNAVAILABLE
    assert failure.detail.startswith("a process did not start")


async def test_closing_ends_what_runs_and_what_waits(pool, paper):
    sandbox = pool(processes_max=1)
    await sandbox.run(TASKS["reads"], paper, None)
    waiting = [asyncio.create_task(sandbox.run(TASKS["hangs"], paper, None)) for _ in range(3)]
    await asyncio.sleep(0)
    await sandbox.close()
    assert {(await task).kind for task in waiting} == {FailureKind.UNAVAILABLE}
    assert sandbox.pids == []
    assert (await sandbox.run(TASKS["reads"], paper, None)).detail == "the pool is closed"


async def test_who_is_cancelled_loses_the_process_and_no_more(pool, paper):
    sandbox = pool(processes_max=1)
    await sandbox.run(TASKS["reads"], paper, None)
    before = sandbox.pids
    task = asyncio.create_task(sandbox.run(TASKS["hangs"], paper, None))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await sandbox.run(TASKS["reads"], paper, None) == b"a page of a contract"
    assert sandbox.pids != before


async def test_who_is_cancelled_while_a_process_starts_leaves_none_behind(pool, paper):
    sandbox = pool(processes_max=1)
    task = asyncio.create_task(sandbox.run(TASKS["reads"], paper, None))
    while not sandbox.pids:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sandbox.pids == []


async def test_a_request_must_be_short(pool, paper):
    with pytest.raises(ValueError, match="over 32768"):
        await pool().run(TASKS["raises"], paper, "x" * 40_000)


async def test_a_process_ends_with_its_daemon(paper):
    """A daemon that is killed hangs up; nothing else tells the process."""
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from storagemanager.sandbox import Limits; from storagemanager.sandbox.process import Process\n"
        "print(Process.start(sys.argv[2:], Limits()).pid, flush=True); sys.stdin.read()"
    )
    daemon = subprocess.Popen(
        [sys.executable, "-c", script, str(Path(CHILD[1]).parent), *CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with daemon:
        child = int(daemon.stdout.readline())
        handle = os.pidfd_open(child)
        daemon.kill()
    await asyncio.to_thread(wait_for_end, handle)
    assert not Path(f"/proc/{child}/exe").exists()


def wait_for_end(handle):
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    assert poll.poll(30_000)
    os.close(handle)


@pytest.mark.parametrize(
    ("task", "request_", "kind"),
    [("reads", None, None), ("raises", "x", FailureKind.FAULT), ("hoards", -1, FailureKind.FAULT)],
)
def test_the_life_of_a_process_as_it_sees_it(paper, task, request_, kind):
    ours, theirs = socket.socketpair()
    table = {name: Handler(TASKS[name], run) for name, (_, _, run) in ROWS.items()}
    job = encoded(task, request_)
    socket.send_fds(ours, [len(job).to_bytes(4, "big") + job[:5]], [paper])
    ours.sendall(job[5:])
    ours.shutdown(socket.SHUT_WR)
    serve(theirs, table, Limits())
    theirs.close()
    said = ours.recv(65_536)
    ours.close()
    assert int.from_bytes(said[:4], "big") == len(said) - 4
    _, failure = msgspec.msgpack.decode(said[4:])
    assert (failure and FailureKind(failure["kind"])) == kind


async def test_a_process_tells_of_its_waiting(paper):
    process = Process.start(CHILD, Limits())
    assert await process.get_ready() is None
    assert await process.get_ready() is None
    assert process._waited() >= 0
    await process.kill()
    process.close()
    assert process._waited() == 0
