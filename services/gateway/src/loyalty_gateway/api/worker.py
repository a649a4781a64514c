"""gunicorn's gevent worker, with the suite's envelope for what gunicorn refuses before any of our code runs."""

from __future__ import annotations

import http
import uuid
from typing import Any

import structlog
from gunicorn.http import errors as refused
from gunicorn.util import write_nonblock
from gunicorn.workers.ggevent import GeventWorker

from loyalty_common import envelope
from loyalty_common.errors import ApiError, ServerError, ValidationFailed

_log = structlog.get_logger()

# More than one of these would mean that two readers of one request can see two requests.
_AT_MOST_ONCE = ("IDEMPOTENCY-KEY", "X-REQUEST-ID")


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        names = [name for name, _ in req.headers]
        for name in _AT_MOST_ONCE:
            if names.count(name) > 1:
                raise refused.InvalidHeader(name, req=req)
        return super().handle_request(listener_name, req, sock, addr)

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
        except OSError:
            _log.debug("answer_unheard", request_id=request_id)


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
