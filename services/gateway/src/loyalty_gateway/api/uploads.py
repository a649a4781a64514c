"""Files on their way to a service: never whole in memory, counted as they pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gevent import Timeout
from gunicorn.http.errors import NoMoreData, ParseException

from loyalty_common.errors import PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from loyalty_gateway.api.routes import Upload

_PIECE_BYTES = 64 * 1024
# Of one piece: a slow line may take its time, a silent one may not.
_DEADLINE_S = 30


class UploadBody:
    """The pieces of an upload, once."""

    def __init__(self, environ: Mapping[str, Any], upload: Upload) -> None:
        """Raises what can be said before a byte is read."""
        media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if media_type not in upload.media_types or environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
            raise UnsupportedMediaType(f"The body must be sent as {' or '.join(upload.media_types)}.")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        self._declared = None if is_chunked else int(environ.get("CONTENT_LENGTH") or 0)
        self._too_large = PayloadTooLarge(f"The body is larger than {upload.limit_bytes // 2**20} MiB.")
        if self._declared is not None and self._declared > upload.limit_bytes:
            raise self._too_large
        self._limit_bytes = upload.limit_bytes
        self._stream = environ["wsgi.input"]

    def __iter__(self) -> Iterator[bytes]:
        """Raises ``PayloadTooLarge`` or ``ValidationFailed`` in the middle: what was sent on must then not count."""
        passed = 0
        while piece := self._read():
            passed += len(piece)
            if passed > self._limit_bytes:
                raise self._too_large
            yield piece
        if self._declared is not None and passed < self._declared:
            raise ValidationFailed("The body ended before its declared length.")

    def _read(self) -> bytes:
        try:
            with Timeout(_DEADLINE_S):
                piece: bytes = self._stream.read(_PIECE_BYTES)
                return piece
        except Timeout:
            self._stream.failed = True
            raise ValidationFailed(f"Nothing of the body arrived for {_DEADLINE_S} seconds.") from None
        except (ParseException, NoMoreData, OSError):
            raise ValidationFailed("The body could not be read.") from None
