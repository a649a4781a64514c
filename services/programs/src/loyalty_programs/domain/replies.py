"""Answers to writes that turned out to have nothing to do."""

from __future__ import annotations

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row
from loyalty_common.record import Record
from loyalty_programs.domain.acts import Act
from loyalty_programs.models import idempotency

_RECORD = Record(inserts=(idempotency,))


def answer_only(tx: Transaction, reply: Reply, act: Act) -> Reply:
    """Nothing happens, but the key is used up: its repetition answers the same."""
    _RECORD.write(tx, {idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply
