"""The routes over REST that are no commands: files, liveness, figures, this document."""

from typing import Any

from kycmanager.commands.model import END
from kycmanager.contract.answers import JSON, SCHEMAS, refusals, success
from kycmanager.contract.examples import full_example
from kycmanager.contract.operations import SECURITY
from kycmanager.contract.shapes import UploadReply
from kycmanager.domain.errors import Code
from kycmanager.domain.files import RENDITION_KINDS

TAGS = {"files": "Files: uploading, downloading and showing them.", "operation": "For those who run the daemon."}

SECURITY_SCHEMES: dict[str, Any] = {
    "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "The JWT alone"},
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}

PARAMETERS: dict[str, Any] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same write under the same key is done once; answered again from the record it made",
        "schema": {"type": "string", "maxLength": 128},
        "example": "a7c1f0",
    },
}

_BRAND = {"type": "string", "pattern": rf"^[A-Za-z0-9_.-]{{1,64}}{END}"}
_BINARY = {"type": "string", "format": "binary"}
_PURPOSE = {"type": "string", "maxLength": 64}
_SCOPE = {"type": "integer", "minimum": 0, "maximum": 3, "default": 0}

UPLOAD_CODES = (
    Code.INVALID_DATA,
    Code.INVALID_FILE,
    Code.INVALID_CUSTOMER,
    Code.UNAUTHENTICATED,
    Code.FORBIDDEN,
    Code.NOT_FOUND,
    Code.FILE_TOO_LARGE,
    Code.QUOTA_EXCEEDED,
    Code.LINE_TOO_LONG,
    Code.TOO_FREQUENT,
    Code.INTERNAL,
    Code.OVERLOADED,
    Code.OUTCOME_UNKNOWN,
    Code.SHUTDOWN,
    Code.STORAGE_FULL,
)
DOWNLOAD_CODES = (
    Code.INVALID_DATA,
    Code.INVALID_CUSTOMER,
    Code.UNAUTHENTICATED,
    Code.FORBIDDEN,
    Code.NOT_FOUND,
    Code.INVALID_STATE,
    Code.TOO_FREQUENT,
    Code.INTERNAL,
    Code.OVERLOADED,
    Code.SHUTDOWN,
)


RENDITION_CODES = (Code.INVALID_FILE, *DOWNLOAD_CODES)
SIDES = dict(zip(RENDITION_KINDS, (256, 1600, 4000), strict=True))
"""The longer side of each kind of rendition, in pixels."""


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _upload() -> dict[str, Any]:
    form = {
        "type": "object",
        "properties": {
            "purpose": _PURPOSE | {"description": "What the file is for, kept as data"},
            "brand": _BRAND | {"description": "The brand of a manager's upload, unless its token has exactly one"},
            "scope": _SCOPE | {"description": "3 publishes the file, for managers and where the settings allow it"},
            "file": _BINARY
            | {"description": "The file; its part names the file. Parts before it are judged before it is read"},
        },
        "required": ["file"],
    }
    return {
        "operationId": "Upload",
        "summary": "Store a file",
        "description": 'As a form, or as the body itself with `Content-Disposition: attachment; filename="..."`.\n\n'
        "Parts may come in any order. Size, extension and the real signature of the content are checked, and that the "
        "two agree. After 10 seconds an upload must have come at 1 KB/s on average. Attach the file to a document "
        "within a day (`storage.unattached_hours`), or it is removed.",
        "tags": ["files"],
        "parameters": [
            _query("purpose", _PURPOSE, "What the file is for, kept as data"),
            _query("brand", _BRAND, "The brand of a manager's upload, unless its token has exactly one"),
            _query("scope", _SCOPE, "3 publishes the file, for managers and where the settings allow it"),
            {
                "name": "Content-Disposition",
                "in": "header",
                "required": False,
                "description": "Names the file when the body is the file itself",
                "schema": {"type": "string"},
                "example": 'attachment; filename="passport.pdf"',
            },
        ],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form}, "application/octet-stream": {"schema": _BINARY}},
        },
        "responses": success("The file is on disk", {"$ref": f"{SCHEMAS}UploadReply"}, full_example(UploadReply))
        | refusals(UPLOAD_CODES),
        "security": SECURITY,
    }


def _download(*, head: bool) -> dict[str, Any]:
    content = {} if head else {"content": {"application/octet-stream": {"schema": _BINARY}}}
    found = {
        "200": {"description": "The file"} | content,
        "206": {"description": "The part of the file that was asked for"} | content,
        "304": {"description": "The file is the one the caller has"},
    }
    refused = refusals(DOWNLOAD_CODES)
    if head:
        refused = {status: {"description": "As for GET, without the body"} for status in refused}
    return {
        "operationId": "StorageHead" if head else "StorageGet",
        "summary": "Tell about a stored file" if head else "Download a stored file",
        "description": "For a manager of its brand and for the customer who uploaded it. Range and ETag are honoured; "
        "a damaged or missing file is 500.",
        "tags": ["files"],
        "responses": found | {"416": {"description": "The file has no such part"}} | refused,
        "security": SECURITY,
    }


def _rendition(*, head: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"description": "The rendition"}
    if not head:
        found["content"] = {"image/jpeg": {"schema": _BINARY}, "text/plain": {"schema": {"type": "string"}}}
    found["headers"] = {
        "X-Page-Count": {"description": "How many pages the file has", "schema": {"type": "integer", "minimum": 1}}
    }
    refused = refusals(RENDITION_CODES)
    if head:
        refused = {status: {"description": "As for GET, without the body"} for status in refused}
    kinds = ", ".join(f"{kind} {side}" for kind, side in SIDES.items())
    return {
        "operationId": "RenditionHead" if head else "RenditionGet",
        "summary": "Tell about a rendition" if head else "Show a stored file",
        "description": "A picture drawn anew from the file, without its metadata, or an escaped text; for whoever may "
        "read the file. Files of other types have none.",
        "tags": ["files"],
        "parameters": [
            _query(
                "kind",
                {"type": "string", "enum": list(RENDITION_KINDS), "default": "view"},
                f"The longer side in pixels, at most: {kinds}",
            ),
            _query("page", {"type": "integer", "minimum": 1, "maximum": 999_999, "default": 1}, "The page, from 1"),
        ],
        "responses": {"200": found} | refused,
        "security": SECURITY,
    }


def _storage() -> dict[str, Any]:
    return {"parameters": [_NAME], "get": _download(head=False), "head": _download(head=True)}


def _renditions() -> dict[str, Any]:
    return {"parameters": [_NAME], "get": _rendition(head=False), "head": _rendition(head=True)}


_NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The uuid of the file, with or without its extension",
    "schema": {"type": "string"},
    "example": "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c.pdf",
}


def _open(
    name: str,
    summary: str,
    media: str,
    schema: dict[str, Any],
    *,
    example: Any = None,
    failure: dict[str, Any] | None = None,
) -> dict[str, Any]:
    shown = {"schema": schema} | ({"example": example} if example is not None else {})
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": ["operation"],
            "responses": {"200": {"description": summary, "content": {media: shown}}} | (failure or {}),
            "security": [],
        },
    }


_ALIVE = {"$ref": f"{SCHEMAS}Alive"}
_READY = {"$ref": f"{SCHEMAS}Readiness"}
_NOT_READY = {
    "description": "Not yet, or not any more",
    "content": {JSON: {"schema": _READY, "example": {"ready": False, "reasons": ["starting"]}}},
}

PATHS: dict[str, Any] = {
    "/upload": {"post": _upload()},
    "/storage/{name}": _storage(),
    "/storage/{name}/rendition": _renditions(),
    "/healthz": _open("Healthz", "The process lives", JSON, _ALIVE, example={"alive": True}),
    "/readyz": _open(
        "Readyz",
        "The daemon takes commands",
        JSON,
        _READY,
        example={"ready": True, "reasons": []},
        failure={"503": _NOT_READY},
    ),
    "/metrics": _open("Metrics", "The figures of the daemon, for Prometheus", "text/plain", {"type": "string"}),
    "/openapi.json": _open("OpenApi", "This document", JSON, {"type": "object"}),
}
"""By path; the shapes of their bodies are in `shapes`."""
