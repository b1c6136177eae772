"""The life of one process of the pool: get ready, then one file after another, until the pool hangs up."""

import os
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec
from msgspec import Raw, Struct

from storagemanager.sandbox.confine import confine, start_clocks, stop_clocks
from storagemanager.sandbox.model import Failure, FailureKind, Job, Limits, Outcome, Task
from storagemanager.scheduling import work_in_bulk

HEADER = struct.Struct(">I")
_NOTHING = Raw(b"\xc0")


class Handler(Struct, frozen=True):
    """A task and the function that does it, given the file's descriptor and the request."""

    task: Task[Any, Any]
    run: Callable[[int, Any], Any]


def main(table: Mapping[str, Handler]) -> NoReturn:
    """Be a process of the pool: the arguments are the descriptor of the socket and the limits as JSON."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    limits = msgspec.json.decode(sys.argv[2], type=Limits)
    work_in_bulk()
    confine(limits)
    send(channel, Outcome(_NOTHING))
    serve(channel, table, limits)
    os._exit(0)  # nothing here is worth tidying up


def serve(channel: socket.socket, table: Mapping[str, Handler], limits: Limits) -> None:
    """Do what the pool sends until it hangs up, or until memory has run out once."""
    while (received := _receive(channel)) is not None:
        descriptor, job = received
        start_clocks(limits)
        try:
            outcome = _done(table[job.task], descriptor, job)
        finally:
            stop_clocks()
            os.close(descriptor)
        send(channel, outcome)
        if outcome.failure is not None and outcome.failure.kind is FailureKind.MEMORY:
            return  # what a library keeps after a refused allocation is nobody's to say


def send(channel: socket.socket, outcome: Outcome) -> None:
    """Send one word to the pool."""
    data = msgspec.msgpack.encode(outcome)
    channel.sendall(HEADER.pack(len(data)) + data)


def _done(handler: Handler, descriptor: int, job: Job) -> Outcome:
    request = msgspec.msgpack.decode(job.request, type=handler.task.request)
    try:
        return Outcome(Raw(msgspec.msgpack.encode(handler.run(descriptor, request))))
    except MemoryError:
        return Outcome(_NOTHING, Failure(FailureKind.MEMORY, "an allocation was refused"))
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything; its text may hold parts of the file
        return Outcome(_NOTHING, Failure(FailureKind.FAULT, type(error).__name__))


def _receive(channel: socket.socket) -> tuple[int, Job] | None:
    """Return a file's descriptor and what to do with it, None when the pool has hung up."""
    data, descriptors, _, _ = socket.recv_fds(channel, HEADER.size, 1)
    if not descriptors:
        return None
    (length,) = HEADER.unpack(data)
    body = bytearray()
    while len(body) < length:
        piece = channel.recv(length - len(body))
        if not piece:
            return None
        body += piece
    return descriptors[0], msgspec.msgpack.decode(body, type=Job)
