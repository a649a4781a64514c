"""gunicorn's gevent worker, with the suite's envelope for what gunicorn refuses before any of our code runs."""

from __future__ import annotations

import errno
import http
import socket
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from gevent import Timeout
from gunicorn.http import errors as refused
from gunicorn.util import write_nonblock
from gunicorn.workers.ggevent import GeventWorker

from loyalty_common import envelope
from loyalty_common.errors import ApiError, ServerError, ValidationFailed

_log = structlog.get_logger()

# More than one of these would mean that two readers of one request can see two requests.
_AT_MOST_ONCE = ("IDEMPOTENCY-KEY", "X-REQUEST-ID")


_SEND_TIMEOUT_S = 30
_LINGER_S = 2
_LINGER_PIECES = 128
_PIECE_BYTES = 64 * 1024


class HeadWithBody:
    """A client's socket (gevent's) that holds an answer's head back until its body begins: one packet, not two."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._head: bytes | None = None
        self._is_started = False

    def sendall(self, data: bytes) -> None:
        if not self._is_started:
            self._head, self._is_started = data, True
        elif self._head is not None:
            head, self._head = self._head, None
            self._send(head + data)
        else:
            self._send(data)

    def flush(self) -> None:
        """For an answer without a body."""
        if self._head is not None:
            head, self._head = self._head, None
            self._send(head)

    def _send(self, data: bytes) -> None:
        """A client that reads nothing for so long is treated as one that has gone."""
        try:
            sent = self._sock.send(data, 0, 0.0)  # what gevent cannot send at once, it does not wait for
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._send_patiently(data[sent:])

    def _send_patiently(self, data: bytes) -> None:
        self._sock.settimeout(_SEND_TIMEOUT_S)
        try:
            self._sock.sendall(data)
        except TimeoutError as error:
            raise BrokenPipeError(errno.EPIPE, "the client does not read") from error
        finally:
            self._sock.settimeout(None)

    def shutdown(self, how: int) -> None:
        """gunicorn gives the answer up: a head without its body must not follow."""
        self._head = None
        self._sock.shutdown(how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    def init_process(self) -> None:
        # gunicorn asks its settings two dozen times per request, each time through ``__getattr__``; as plain attributes
        # they cost nothing.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        names = [name for name, _ in req.headers]
        for name in _AT_MOST_ONCE:
            if names.count(name) > 1:
                raise refused.InvalidHeader(name, req=req)
        joined = HeadWithBody(sock)
        try:
            return super().handle_request(listener_name, req, joined, addr)
        finally:
            joined.flush()
            if "CONTENT-LENGTH" in names or "TRANSFER-ENCODING" in names:
                _read_to_end(req.body)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Instead of gunicorn's page in HTML. The connection is closed: where the next request begins is unknown."""
        request_id = str(uuid.uuid4())
        if _is_the_callers(exc):
            error: ApiError = ValidationFailed("The request could not be read.")
            # Only the kind: the text of these exceptions quotes headers, and one of them is the key.
            _log.warning("request_unreadable", kind=type(exc).__name__, request_id=request_id)
        else:
            error = ServerError()
            _log.error("request_failed", exc_info=exc, request_id=request_id)
        try:
            write_nonblock(client, _answer(error, request_id))
            client.shutdown(socket.SHUT_WR)
            _drop(client.recv)
        except OSError:
            _log.debug("answer_unheard", request_id=request_id)


def _drop(read: Callable[[int], bytes]) -> bool:
    """Whether the end of what the client sends was reached, within bounds of time and size.

    Closing before that would reset the connection, and our answer with it.
    """
    with Timeout(_LINGER_S, False):
        for _ in range(_LINGER_PIECES):
            if not read(_PIECE_BYTES):
                return True
    return False


def _read_to_end(body: Any) -> None:
    try:
        if _drop(body.read):
            return
    except (refused.ParseException, OSError):
        pass
    # Tells gunicorn that nobody knows where the next request begins: it closes the connection.
    body.failed = True


def _is_the_callers(error: BaseException) -> bool:
    ours = refused.InvalidResponseHeader | refused.InvalidResponseHeaderName | refused.ConfigurationProblem
    return isinstance(error, refused.ParseException) and not isinstance(error, ours)


def _answer(error: ApiError, request_id: str) -> bytes:
    body = envelope.failure(error, request_id=request_id)
    head = (
        f"HTTP/1.1 {error.status} {http.HTTPStatus(error.status).phrase}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Request-Id: {request_id}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
