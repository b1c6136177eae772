"""Stores files: validate, write, register; knows nothing of what they are for."""

from storagemanager.backends.local import LocalBackend
from storagemanager.errors import MalwareError, QuotaError, StorageError, StorageErrorCode
from storagemanager.manager import StorageManager
from storagemanager.model import (
    DEFAULT_EXTENSIONS,
    FileMeta,
    OpenReport,
    Owner,
    PinReport,
    StorageSettings,
    StorageStats,
    VerifyReport,
)
from storagemanager.names import content_disposition
from storagemanager.ports import Backend, Cipher, Draft
from storagemanager.quota import Limits
from storagemanager.reading import Reading
from storagemanager.scanner import Scanner, ScannerSettings
from storagemanager.upload import Upload

__all__ = [
    "DEFAULT_EXTENSIONS",
    "Backend",
    "Cipher",
    "Draft",
    "FileMeta",
    "Limits",
    "LocalBackend",
    "MalwareError",
    "OpenReport",
    "Owner",
    "PinReport",
    "QuotaError",
    "Reading",
    "Scanner",
    "ScannerSettings",
    "StorageError",
    "StorageErrorCode",
    "StorageManager",
    "StorageSettings",
    "StorageStats",
    "Upload",
    "VerifyReport",
    "content_disposition",
]
