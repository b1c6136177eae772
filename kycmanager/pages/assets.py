"""The files beside the pages: read once, served under the hash of what they hold, and so kept by browsers for good."""

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from aiohttp import web
from msgspec import Struct

CACHING = "public, max-age=31536000, immutable"

_HASH_CHARS = 16
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


class Asset(Struct, frozen=True):
    """One file: where it stands, what it is, what it holds."""

    path: str
    kind: str
    content: bytes


class Assets:
    """All files of static/ of some packages, by their names below it; `prefix` is where the pages stand."""

    def __init__(self, prefix: str, packages: Iterable[str]) -> None:
        self._by_name = {
            name: _asset(prefix, name, item.read_bytes())
            for package in packages
            for name, item in _walk(files(package) / "static", "")
        }
        self._by_path = {asset.path: asset for asset in self._by_name.values()}

    def url(self, name: str) -> str:
        """Return where a file stands, below this host; KeyError for one that is not there."""
        return self._by_name[name].path

    async def send(self, request: web.Request) -> web.Response:
        """Answer with a file; one whose hash is another's is not found."""
        found = self._by_path.get(request.path)
        if found is None:
            return web.Response(status=404, text="This file was not found; load the page again\n")
        return web.Response(
            body=found.content, content_type=found.kind, charset="utf-8", headers={"Cache-Control": CACHING}
        )


def _asset(prefix: str, name: str, content: bytes) -> Asset:
    digest = hashlib.sha256(content).hexdigest()[:_HASH_CHARS]
    return Asset(f"{prefix}/static/{digest}/{name}", _KINDS[PurePosixPath(name).suffix], content)


def _walk(folder: Traversable, above: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for item in folder.iterdir():
        name = f"{above}{item.name}"
        if item.is_dir():
            found += _walk(item, f"{name}/")
        elif PurePosixPath(name).suffix in _KINDS:
            found.append((name, item))
    return found
