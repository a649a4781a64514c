"""What a request may carry: one JSON document of at most 1 MiB, whole, and in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gevent import Timeout
from gunicorn.http.errors import NoMoreData, ParseException

from loyalty_common.errors import MalformedJson, PayloadTooLarge, UnsupportedMediaType

WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
LIMIT_BYTES = 1024 * 1024
_DEADLINE_S = 30


def read_body(environ: Mapping[str, Any]) -> bytes:
    """The body of a write, empty if there is none, whatever its Content-Type says."""
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ
    declared = int(environ.get("CONTENT_LENGTH") or 0)
    if not is_chunked:
        if declared == 0:
            return b""
        check_type(environ)
        if declared > LIMIT_BYTES:
            raise PayloadTooLarge
    body = _read(environ["wsgi.input"])
    if is_chunked and body:
        check_type(environ)
    if len(body) > LIMIT_BYTES:
        raise PayloadTooLarge
    if not is_chunked and len(body) < declared:
        raise MalformedJson("The body ended before its declared length.")
    return body


def _read(stream: Any) -> bytes:
    try:
        with Timeout(_DEADLINE_S):
            body: bytes = stream.read(LIMIT_BYTES + 1)
            return body
    except Timeout:
        # Tells gunicorn that nobody knows where the next request begins: it closes the connection.
        stream.failed = True
        raise MalformedJson(f"The body did not arrive within {_DEADLINE_S} seconds.") from None
    except (ParseException, NoMoreData, OSError):
        raise MalformedJson("The body could not be read.") from None


def check_type(environ: Mapping[str, Any]) -> None:
    """``UnsupportedMediaType`` for anything but plain JSON."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise UnsupportedMediaType
