"""A file that a request carries: taken in whole, on disk, before anything is done with it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from flask import request

from loyalty_common.errors import MalformedJson, PayloadTooLarge, UnsupportedMediaType

_PIECE_BYTES = 256 * 1024
_IN_UTF8 = ("utf-8", "utf8", "us-ascii")


def media_type(accepted: Sequence[str]) -> str:
    """The body's; ``UnsupportedMediaType`` for others, and for a body that would have to be decoded first."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    plain = request.headers.get("Content-Encoding", "identity") == "identity"
    if request.mimetype not in accepted or charset not in _IN_UTF8 or not plain:
        raise UnsupportedMediaType(f"The body must be sent as {' or '.join(accepted)}, in UTF-8.")
    return request.mimetype


@contextmanager
def received(*, limit_bytes: int) -> Iterator[tuple[BinaryIO, str]]:
    """The body as a file, and the SHA-256 of its content.

    No transaction waits for a slow sender, and none has to be run again with a body that is already read.
    """
    too_large = PayloadTooLarge(f"The file is larger than {limit_bytes // 1024 // 1024} MiB.")
    if (request.content_length or 0) > limit_bytes:
        raise too_large
    with tempfile.TemporaryFile() as file:
        digest, size = hashlib.sha256(), 0
        for piece in _pieces():
            size += len(piece)
            if size > limit_bytes:
                raise too_large
            digest.update(piece)
            file.write(piece)
        yield file, digest.hexdigest()


def _pieces() -> Iterator[bytes]:
    try:
        while piece := request.stream.read(_PIECE_BYTES):
            yield piece
    except OSError:
        raise MalformedJson("The file ended before its end.") from None
