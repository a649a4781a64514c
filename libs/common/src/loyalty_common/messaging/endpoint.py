"""``POST /internal/events``: a batch of messages over HTTP, judged as a consumer would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from loyalty_common.messaging.judgement import Handle, judge
from loyalty_common.messaging.message import MalformedMessage, Message

_log = structlog.get_logger()


def deliver_batch(handle: Handle, messages: Sequence[Any]) -> list[dict[str, str | None]]:
    """``messages``: the list of that name in the body, parsed. Returns what was rejected, as the answer shows it.

    All others were handled and committed. An outage raises ``Unavailable``: then none is confirmed.
    """
    rejected: list[dict[str, str | None]] = []
    readable: list[Message] = []
    for document in messages:
        try:
            readable.append(Message.from_document(document))
        except MalformedMessage as error:
            message_id = document.get("id") if isinstance(document, dict) else None
            _log.error("message_unreadable", message_id=message_id, error=str(error))
            rejected.append({"id": message_id, "error": f"unreadable: {error}"})
    if readable:
        rejected += [{"id": str(found.message_id), "error": found.error} for found in judge(handle, readable)]
    return rejected
