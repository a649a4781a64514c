"""Lists as files: CSV that is streamed at constant memory and harmless when a spreadsheet opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, stream_with_context

_FORMULA = ("=", "+", "-", "@")
_CHUNK_CHARACTERS = 64 * 1024


def csv_text(text: str | None) -> str:
    """A cell of a text column: what a spreadsheet would take for a formula gets a leading apostrophe."""
    return f"'{text}" if text and text.startswith(_FORMULA) else text or ""


def csv_response(header: Sequence[str], rows: Iterable[Sequence[object]], *, file_name: str) -> Response:
    """``rows`` are consumed while the answer is sent; None is an empty cell."""
    response = Response(stream_with_context(csv_lines(header, rows)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """In pieces of about 64 KiB, RFC 4180."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows:
        writer.writerow(["" if cell is None else cell for cell in row])
        if buffer.tell() >= _CHUNK_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
