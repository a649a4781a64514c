"""One HTTP/1.1 request and its answer over a socket that stays open.

``http.client`` reads the bodies that stream, where the traps are. Its way of writing a head and of reading one (line by
line, through the e-mail parser) took a fifth of a request's time, so heads, and with them small bodies, are read here.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

_LONGEST_HEAD = 65_536
_MOST_HEADERS = 100
_WITHOUT_BODY = frozenset((204, 304))

Header = tuple[str, str]


class Call(NamedTuple):
    """What a service is asked; ``headers`` without Host and Content-Length. A body in pieces can be sent once.

    ``is_judged``: the service judges the caller's credentials, so that its 401 is meant for him.
    """

    method: str
    path: str
    headers: Sequence[Header]
    body: bytes | Iterable[bytes] | None
    timeout_s: float
    is_judged: bool = False


class Answer:
    """An answer whose head has come: its fields, names in lower case, and how its body ends.

    ``length`` is ``None`` where only the end of the chunks, or of the connection, will tell.
    """

    __slots__ = ("_rest", "_sock", "fields", "is_chunked", "length", "status", "will_close")

    def __init__(self, sock: socket.socket, *, method: str) -> None:
        self._sock = sock
        head, self._rest = _read_head(sock)
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        code = rest.partition(" ")[0]
        if version not in ("HTTP/1.0", "HTTP/1.1") or not (len(code) == 3 and code.isdecimal()):
            raise http.client.BadStatusLine(version)
        self.status = int(code)
        self.fields = _fields(lines)
        self._frame(dict(self.fields), is_last=version == "HTTP/1.0", has_body=method != "HEAD")

    def _frame(self, head: dict[str, str], *, is_last: bool, has_body: bool) -> None:
        self.is_chunked = head.get("transfer-encoding", "").lower() == "chunked"
        length = None if self.is_chunked else head.get("content-length")
        if not has_body or self.status in _WITHOUT_BODY:
            self.length: int | None = 0
        elif length is None:
            self.length = None
        elif length.isdecimal():
            self.length = int(length)
        else:
            raise http.client.HTTPException("the length of the answer makes no sense")
        ends_with_connection = self.length is None and not self.is_chunked
        self.will_close = ends_with_connection or is_last or head.get("connection", "").lower() == "close"

    def read(self) -> bytes:
        """The whole body, where its length is known."""
        body, length = self._rest, self.length or 0
        while len(body) < length:
            piece = self._sock.recv(length - len(body))
            if not piece:
                raise http.client.IncompleteRead(body, length - len(body))
            body += piece
        if len(body) > length:
            # Nothing was asked that this could be the answer to.
            self.will_close, body = True, body[:length]
        return body

    def stream(self) -> http.client.HTTPResponse:
        """The body, to be read piece by piece."""
        return _Body(_Source(self._rest, self._sock), self)


class _Source(io.RawIOBase):
    """What came in with the head, and then what still comes in."""

    def __init__(self, rest: bytes, sock: socket.socket) -> None:
        self._rest, self._sock = rest, sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            return self._sock.recv_into(buffer)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


class _Body(http.client.HTTPResponse):
    def __init__(self, source: _Source, answer: Answer) -> None:
        super().__init__(cast(socket.socket, source), method="HEAD" if answer.length == 0 else "GET")
        self.status, self.length, self.will_close = answer.status, answer.length, answer.will_close
        self.chunked, self.chunk_left = answer.is_chunked, None


def _read_head(sock: socket.socket) -> tuple[bytes, bytes]:
    """Up to the empty line; and what came in behind it."""
    received = sock.recv(_LONGEST_HEAD)
    while (end := received.find(b"\r\n\r\n")) < 0:
        piece = sock.recv(_LONGEST_HEAD) if 0 < len(received) <= _LONGEST_HEAD else b""
        if not piece:
            raise http.client.RemoteDisconnected("the service closed the connection before its head was whole")
        received += piece
    return received[:end], received[end + 4 :]


def _fields(lines: Sequence[str]) -> list[Header]:
    if len(lines) > _MOST_HEADERS:
        raise http.client.HTTPException("the head of the answer has too many lines")
    fields: list[Header] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise http.client.HTTPException("the head of the answer makes no sense")
        fields.append((name.lower(), value.strip()))
    return fields


def exchange(sock: socket.socket, call: Call, *, host: str) -> Answer:
    """Send ``call`` in one piece and read the head of the answer. Raises ``OSError`` or ``HTTPException``."""
    lines = [f"{call.method} {call.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in call.headers]
    whole, pieces = (call.body or b"", None) if isinstance(call.body, bytes | None) else (b"", call.body)
    if pieces is not None:
        lines.append("Transfer-Encoding: chunked")
    elif call.body is not None:
        lines.append(f"Content-Length: {len(whole)}")
    head = "\r\n".join([*lines, "", ""])
    # gunicorn has refused such values long before; a head is not the place to rely on it.
    if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1:
        raise ValueError("a header of this call would become two")
    data = head.encode("latin-1") + whole
    sent = sock.send(data)
    if sent < len(data):
        # gevent's own way, which asks the system for the size of its buffer first.
        sock.sendall(data[sent:])
    if pieces is not None:
        _send_pieces(sock, pieces)
    return Answer(sock, method=call.method)


def _send_pieces(sock: socket.socket, pieces: Iterable[bytes]) -> None:
    """An upload that is given up lacks the last, empty piece: the service knows that it has not got all."""
    for piece in pieces:
        try:
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        except (BrokenPipeError, ConnectionResetError):
            # The service has heard enough. What it says about it comes next.
            return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(b"0\r\n\r\n")
