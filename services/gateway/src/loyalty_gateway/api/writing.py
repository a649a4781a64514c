"""An answer on its way to a client: its head leaves together with the first piece of its body, in one packet."""

from __future__ import annotations

import errno
import re
import time
from functools import lru_cache
from typing import Any

from gunicorn.util import http_date

from loyalty_gateway.api.headers import Headers

_SEND_TIMEOUT_S = 30
_NOT_IN_A_LINE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_NO_CONTENT, _NOT_MODIFIED = 204, 304


class Writer:
    """``start`` is WSGI's ``start_response``; then ``write`` each piece, then ``end``, for one request.

    ``closes`` once the answer is written if its connection cannot serve another request.
    """

    def __init__(self, sock: Any, *, method: str, version: tuple[int, int], closes: bool) -> None:
        self._sock = sock
        self._is_head_only = method == "HEAD"
        self._can_chunk = version >= (1, 1)
        self._is_chunked = False
        self._head: bytes | None = None
        self.closes = closes
        self.has_begun = False

    def start(self, status: str, headers: Headers) -> None:
        code = int(status[:3])
        has_length = any(name.lower() == "content-length" for name, _ in headers)
        if code in (_NO_CONTENT, _NOT_MODIFIED):
            self._is_head_only = True
            headers = [header for header in headers if header[0].lower() != "content-length"]
        elif not has_length and not self._is_head_only:
            self._is_chunked = self._can_chunk
            self.closes = self.closes or not self._can_chunk
        lines = [f"HTTP/1.1 {status}", f"Date: {_date(int(time.time()))}"]
        lines.append("Connection: close" if self.closes else "Connection: keep-alive")
        lines += [f"{name}: {value}" for name, value in headers]
        if self._is_chunked:
            lines.append("Transfer-Encoding: chunked")
        self._head = _encoded(lines)

    def write(self, piece: bytes) -> None:
        if self._is_head_only or not piece:
            return
        data = b"%x\r\n%b\r\n" % (len(piece), piece) if self._is_chunked else piece
        if self._head is not None:
            data, self._head = self._head + data, None
        self.has_begun = True
        send(self._sock, data)

    def end(self) -> None:
        last = b"0\r\n\r\n" if self._is_chunked else b""
        if self._head is not None or last:
            self.has_begun = True
            send(self._sock, (self._head or b"") + last)


def _encoded(lines: list[str]) -> bytes:
    # What a service says must not become two headers, nor an answer two answers. Nearly always the first look, which
    # takes no time, is enough.
    if not (text := "".join(lines)).isprintable() and _NOT_IN_A_LINE.search(text):
        raise ValueError("the head of this answer makes no sense")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@lru_cache(maxsize=2)
def _date(now_s: int) -> str:
    date: str = http_date(now_s)
    return date


def send(sock: Any, data: bytes) -> None:
    """To a client's socket (gevent's). One that reads nothing for so long is treated as one that has gone."""
    try:
        sent = sock.send(data, 0, 0.0)  # what gevent cannot send at once, it does not wait for
    except BlockingIOError:
        sent = 0
    if sent < len(data):
        _send_patiently(sock, data[sent:])


def _send_patiently(sock: Any, data: bytes) -> None:
    sock.settimeout(_SEND_TIMEOUT_S)
    try:
        sock.sendall(data)
    except TimeoutError as error:
        raise BrokenPipeError(errno.EPIPE, "the client does not read") from error
    finally:
        sock.settimeout(None)
