"""gunicorn's gevent worker, with a loop of our own over the requests of a connection: this is the hot path.

gunicorn listens, forks, watches over its workers and reads requests. What lies between a request and its answer it does
for every kind of application, which took a third of a request's time. And what it refuses before any of our code runs
is refused in the envelope of the suite.
"""

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
from gunicorn.http.unreader import SocketUnreader
from gunicorn.util import close, write_nonblock
from gunicorn.workers.ggevent import GeventWorker

from loyalty_common import envelope
from loyalty_common.errors import ApiError, ServerError, ValidationFailed
from loyalty_gateway.api.reading import Environ, Head, environ_of, environ_of_connection
from loyalty_gateway.api.writing import Writer

_log = structlog.get_logger()

_LINGER_S = 2
_LINGER_PIECES = 128
_PIECE_BYTES = 64 * 1024
_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    def init_process(self) -> None:
        # gunicorn asks its settings two dozen times per request, each time through ``__getattr__``; as plain attributes
        # they cost nothing.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Request after request, until one side has enough."""
        head: Head | None = None
        try:
            client.setblocking(1)
            unreader = SocketUnreader(client)
            of_connection = environ_of_connection(self.cfg, server=listener.getsockname(), client=addr)
            goes_on = True
            while goes_on:
                head = None
                with Timeout(self.cfg.keepalive, False):
                    head = Head(self.cfg, unreader, addr)
                goes_on = head is not None and self._answer(head, client, of_connection)
        except (StopIteration, refused.NoMoreData):
            pass  # There comes no other request, or not the whole of it.
        except OSError as error:
            if error.errno not in _GONE:
                _log.exception("connection_broken")
        except Exception as error:
            self.handle_error(head, client, addr, error)
        finally:
            close(client)

    def _answer(self, head: Head, client: Any, of_connection: Environ) -> bool:
        """Whether another request may follow."""
        environ = environ_of(head, of_connection)
        if head.expects_continue:
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        # The worker is told to stop: what is under way is the last of its connection.
        closes = head.should_close() or not self.alive
        writer = Writer(client, method=head.method, version=head.version, closes=closes)
        is_read = True
        try:
            self._write(self.wsgi(environ, writer.start), writer)
        finally:
            if head.has_body:
                is_read = _read_to_end(head.body)
        return is_read and not writer.closes

    def _write(self, pieces: Any, writer: Writer) -> None:
        try:
            for piece in pieces:
                writer.write(piece)
            writer.end()
        except OSError:
            raise
        except Exception:
            if not writer.has_begun:
                raise
            # The client notices: it does not get as much as it was promised.
            _log.exception("answer_broken_off")
            writer.closes = True
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Instead of gunicorn's page in HTML. The connection is closed: where the next request begins is unknown."""
        request_id = str(uuid.uuid4())
        if isinstance(exc, refused.ParseException):
            error: ApiError = ValidationFailed("The request could not be read.")
            # Only the kind: the text of these exceptions quotes headers, and one of them is the key.
            _log.warning("request_unreadable", kind=type(exc).__name__, request_id=request_id)
        else:
            error = ServerError()
            _log.error("request_failed", exc_info=exc, request_id=request_id)
        try:
            write_nonblock(client, _refusal(error, request_id))
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


def _read_to_end(body: Any) -> bool:
    """Whether it is known where the next request begins."""
    try:
        return _drop(body.read) and not body.failed
    except (refused.ParseException, OSError):
        return False


def _refusal(error: ApiError, request_id: str) -> bytes:
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
