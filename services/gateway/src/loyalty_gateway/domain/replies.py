"""One effect per Idempotency-Key, for the writes of the account API.

They are rare and touch few rows, so they are plain statements in one transaction, and not one *record* statement.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, RequestKey, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_gateway.models import idempotency

_STORED = select(*replay_columns(idempotency)).where(same_key(idempotency))


def once(
    tx: Transaction,
    request: RequestKey,
    operation: Callable[[], Reply],
    *,
    at: datetime,
    secrets: tuple[str, ...] = (),
) -> Reply:
    """The reply that this key got before, or that of ``operation``, stored in its transaction.

    ``secrets`` names what is in its data this once and stored as null.

    Of two at once one violates the key's uniqueness: its effect is rolled back, and it runs again and finds the reply.
    """
    stored = tx.execute(_STORED, {"idempotency_key": request.key}).one_or_none()
    reply = None if stored is None else stored_reply(stored, request)
    if reply is None:
        reply = operation()
        tx.execute(idempotency.insert(), idempotency_row(request, reply, at=at, secrets=secrets))
    return reply
