"""One HTTP/1.1 request and its answer over a socket that stays open.

``http.client`` keeps reading the bodies, where the traps are. Its way of writing a head and of reading one (header by
header through the e-mail parser) took a fifth of a request's time, so heads are written and read here.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LONGEST_LINE = 65_536
_MOST_HEADERS = 100
_WITHOUT_BODY = frozenset((204, 304))

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """What a service is asked; ``headers`` without Host and Content-Length. A body in pieces can be sent once."""

    method: str
    path: str
    headers: Sequence[Header]
    body: bytes | Iterable[bytes] | None
    timeout_s: float


class Answer(http.client.HTTPResponse):
    """An ``HTTPResponse`` with its head in ``fields``, names in lower case."""

    def __init__(self, sock: socket.socket, *, method: str) -> None:
        super().__init__(sock, method=method)
        self.fields: list[Header] = []
        self._is_head = method == "HEAD"

    def begin(self) -> None:
        version, _, rest = self._line().partition(" ")
        code, _, self.reason = rest.partition(" ")
        if version not in ("HTTP/1.0", "HTTP/1.1") or not (len(code) == 3 and code.isdecimal()):
            raise http.client.BadStatusLine(version)
        self.version = 11 if version == "HTTP/1.1" else 10
        self.status = self.code = int(code)
        self.fields = self._read_fields()
        self._frame(dict(self.fields))

    def _read_fields(self) -> list[Header]:
        fields: list[Header] = []
        while line := self._line():
            name, colon, value = line.partition(":")
            if not colon or len(fields) == _MOST_HEADERS:
                raise http.client.HTTPException("the head of the answer makes no sense")
            fields.append((name.lower(), value.strip()))
        return fields

    def _frame(self, head: dict[str, str]) -> None:
        """Tell the base class where the body ends."""
        self.chunked = head.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        length = None if self.chunked else head.get("content-length")
        if self._is_head or self.status in _WITHOUT_BODY:
            self.length: int | None = 0
        elif length is None:
            self.length = None
        elif length.isdecimal():
            self.length = int(length)
        else:
            raise http.client.HTTPException("the length of the answer makes no sense")
        ends_with_connection = self.length is None and not self.chunked
        self.will_close = ends_with_connection or self.version == 10 or head.get("connection", "").lower() == "close"

    def _line(self) -> str:
        line = self.fp.readline(_LONGEST_LINE)
        if not line.endswith(b"\r\n"):
            raise http.client.RemoteDisconnected("the service closed the connection in the middle of a head")
        return line[:-2].decode("latin-1")


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
    sock.sendall(head.encode("latin-1") + whole)
    if pieces is not None:
        _send_pieces(sock, pieces)
    answer = Answer(sock, method=call.method)
    answer.begin()
    return answer


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
