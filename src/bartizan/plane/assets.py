"""Styles, scripts and fonts: named by their content, so that a browser keeps them for good, and compressed once."""

from __future__ import annotations

import gzip
import mimetypes
from hashlib import blake2b
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.responses import Response

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_TEXT: Final = frozenset({".css", ".js", ".svg"})


class Asset(NamedTuple):
    """One file as it is sent."""

    kind: str
    plain: bytes
    packed: bytes | None


class Assets:
    """All of them, read once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._files: dict[str, Asset] = {}
        root = resources.files("bartizan.plane") / "assets"
        for file in (*root.iterdir(), *(root / "vendor").iterdir()):
            if file.is_file():
                self._read(file)

    def url(self, name: str) -> str:
        """Where a file is, by its name in the folder."""
        return f"/assets/{self._names[name]}"

    def answer(self, request: Request) -> Response:
        """Send a file; what was named otherwise is gone for good."""
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            return Response("no such file", 404, media_type="text/plain")
        headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
        if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.kind)
        return Response(asset.plain, headers=headers, media_type=asset.kind)

    def _read(self, file: Traversable) -> None:
        content = file.read_bytes()
        stem, _, suffix = file.name.rpartition(".")
        name = f"{stem}-{blake2b(content, digest_size=6).hexdigest()}.{suffix}"
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        packed = gzip.compress(content, 9, mtime=0) if f".{suffix}" in _TEXT else None
        self._names[file.name] = name
        self._files[name] = Asset(kind, content, packed)
