"""Is it the message or the moment? Asked alike of what comes from a queue and over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
import requests
import sqlalchemy.exc
import structlog
import urllib3

from loyalty_common import tracing
from loyalty_common.errors import Unavailable
from loyalty_common.messaging.message import Message

Handle = Callable[[list[Message]], None]
"""Does the work of some messages in a transaction of its own, inbox included, and commits. All or none."""

_log = structlog.get_logger()
_PASSING = (
    Unavailable,
    sqlalchemy.exc.OperationalError,  # away, overloaded, shutting down, a lock or a deadlock
    sqlalchemy.exc.TimeoutError,
    requests.ConnectionError,
    requests.Timeout,
    urllib3.exceptions.HTTPError,
)
_PASSING_STATES = (
    psycopg.errors.ReadOnlySqlTransaction,  # a failover has begun, and we still talk to the old primary
    psycopg.errors.UndefinedTable,  # started before its migration
    psycopg.errors.UndefinedColumn,
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that failed on its own account; the error itself is in the log of whoever judged."""

    message_id: UUID
    error: str


def is_passing(error: BaseException) -> bool:
    """Whether the fault lies with the moment, so that the same message may well pass later."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and isinstance(error.orig, _PASSING_STATES):
        return True
    return isinstance(error, _PASSING) or getattr(error, "connection_invalidated", False)


def judge(
    handle: Handle, messages: Sequence[Message], is_outage: Callable[[BaseException], bool] = is_passing
) -> list[Rejection]:
    """Handle all messages; those that cannot be are found by trying each alone. An outage raises ``Unavailable``."""
    try:
        _handle(handle, messages)
    except Exception as error:
        if is_outage(error):
            raise Unavailable from error
        if len(messages) == 1:
            return [_reject(messages[0], error)]
        return [rejection for message in messages for rejection in judge(handle, [message], is_outage)]
    return []


def _handle(handle: Handle, messages: Sequence[Message]) -> None:
    """Each message is work of its own, in the trace that it came with; what it causes is caused by that work."""
    spans = [
        tracing.begin(f"consume {message.event}", kind="consumer", parent=message.traceparent) for message in messages
    ]
    failed = True
    try:
        handle([_under(span, message) for message, span in zip(messages, spans, strict=True)])
        failed = False
    finally:
        for message, span in zip(messages, spans, strict=True):
            if span.is_exported:
                span.end(failed=failed, message_id=str(message.id), tenant_id=message.tenant_id)


def _under(span: tracing.Span, message: Message) -> Message:
    unchanged = message.traceparent == span.traceparent
    return message if unchanged else replace(message, traceparent=span.traceparent)


def _reject(message: Message, error: Exception) -> Rejection:
    _log.error(
        "message_rejected",
        message_id=str(message.id),
        message_event=message.event,
        publisher=message.publisher,
        tenant_id=message.tenant_id,
        exc_info=error,
    )
    return Rejection(message.id, type(error).__name__)
