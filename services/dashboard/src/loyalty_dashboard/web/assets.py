"""Files for browsers, held in memory and compressed once.

A file's address changes with its content, so browsers keep it for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask, Response, abort, request

_FOLDER = Path(__file__).parents[1] / "static"
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes
    media_type: str
    version: str

    @classmethod
    def of(cls, path: Path) -> Asset:
        content = path.read_bytes()
        media_type = mimetypes.guess_type(path.name)[0] or "text/plain"
        return cls(content, gzip.compress(content, mtime=0), media_type, hashlib.sha256(content).hexdigest()[:12])


def install(app: Flask) -> None:
    assets = {path.relative_to(_FOLDER).as_posix(): Asset.of(path) for path in _FOLDER.rglob("*") if path.is_file()}
    app.jinja_env.globals["asset"] = lambda name: f"/static/{assets[name].version}/{name}"
    app.add_url_rule("/static/<version>/<path:name>", "static", partial(_serve, assets))


def _serve(assets: Mapping[str, Asset], version: str, name: str) -> Response:
    asset = assets.get(name) or abort(404)
    is_compressed = request.accept_encodings["gzip"] > 0 and len(asset.compressed) < len(asset.content)
    response = Response(asset.compressed if is_compressed else asset.content, content_type=_content_type(asset))
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    # Of a release before or after this one: for now only.
    response.headers["Cache-Control"] = _FOR_EVER if version == asset.version else "no-cache"
    return response


def _content_type(asset: Asset) -> str:
    is_text = asset.media_type.startswith("text/") or asset.media_type.endswith(("javascript", "+xml", "json"))
    return f"{asset.media_type}; charset=utf-8" if is_text else asset.media_type
