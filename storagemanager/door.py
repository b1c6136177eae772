"""What every upload of a storage manager shares."""

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from storagemanager.buffers import Buffers
from storagemanager.judge import Judge
from storagemanager.metadata import Metadata
from storagemanager.model import StorageSettings
from storagemanager.ports import Backend, Cipher
from storagemanager.scanner import Infected, Scanner
from storagemanager.validation import Validator
from storagemanager.verdicts import Verdicts
from storagemanager.workers import Workers


class Door(Struct, frozen=True):
    """What every upload of a manager shares. `left` is called once with an upload that is over."""

    settings: StorageSettings
    backend: Backend
    metadata: Metadata
    validator: Validator
    workers: Workers
    buffers: Buffers
    clock: Callable[[], int]
    left: Callable[[Any], None]
    scanner: Scanner | None
    infected: Infected
    cipher: Cipher | None
    judging: asyncio.Semaphore
    """Bounds how many sealed uploads stand in memory in clear."""
    judge: Judge
    verdicts: Verdicts
