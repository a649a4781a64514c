"""Pages of the portal are long and the same for everybody: they are compressed on their way."""

from __future__ import annotations

import gzip

from flask import Response, request

_SHORT = 2048
_COMPRESSED = ("text/html", "application/json")


def compress(response: Response) -> Response:
    """Not where a page holds a secret of its reader, which its length could give away."""
    if response.mimetype in _COMPRESSED and response.status_code == 200 and not response.is_streamed:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings.quality("gzip") and len(response.data) > _SHORT:
            response.data = gzip.compress(response.data, compresslevel=5, mtime=0)
            response.content_encoding = "gzip"
    return response
