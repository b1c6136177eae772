"""Stores files: validate, write, register; knows nothing of what they are for."""

from storagemanager.backends.local import LocalBackend
from storagemanager.errors import MalwareError, QuotaError, StorageError, StorageErrorCode
from storagemanager.manager import StorageManager
from storagemanager.model import (
    DEFAULT_EXTENSIONS,
    FileMeta,
    InspectionSettings,
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
from storagemanager.renditions import Kind, Renderer, Rendition, RenditionSettings
from storagemanager.scanner import Scanner, ScannerSettings
from storagemanager.upload import Upload
from storagemanager.verdicts import NOTHING_FOUND, FileState, Policy, Verdict

__all__ = [
    "DEFAULT_EXTENSIONS",
    "NOTHING_FOUND",
    "Backend",
    "Cipher",
    "Draft",
    "FileMeta",
    "FileState",
    "InspectionSettings",
    "Kind",
    "Limits",
    "LocalBackend",
    "MalwareError",
    "OpenReport",
    "Owner",
    "PinReport",
    "Policy",
    "QuotaError",
    "Reading",
    "Renderer",
    "Rendition",
    "RenditionSettings",
    "Scanner",
    "ScannerSettings",
    "StorageError",
    "StorageErrorCode",
    "StorageManager",
    "StorageSettings",
    "StorageStats",
    "Upload",
    "Verdict",
    "VerifyReport",
    "content_disposition",
]
