"""Answers to writes that turned out to have nothing to do."""

from __future__ import annotations

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row
from loyalty_common.record import Record
from loyalty_webhooks.domain.acts import Act
from loyalty_webhooks.models import idempotency

_RECORD = Record(inserts=(idempotency,))


def answer_only(tx: Transaction, reply: Reply, act: Act, *, not_stored: tuple[str, ...] = ()) -> Reply:
    """The key is used up: its repetition answers the same, but for ``not_stored``, which is null there."""
    _RECORD.write(tx, {idempotency: [idempotency_row(act.request, reply, at=act.at, secrets=not_stored)]})
    return reply
