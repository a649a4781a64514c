"""The suite's own tables: replies by key, events out and in, and what is known of customers and locations."""

from __future__ import annotations

from loyalty_common.directory import Directory
from loyalty_common.idempotency import idempotency_table
from loyalty_common.messaging.inbox import inbox_table
from loyalty_common.messaging.outbox import outbox_table
from loyalty_vouchers.models.base import Base

directory = Directory(Base.metadata)
idempotency = idempotency_table(Base.metadata)
inbox = inbox_table(Base.metadata)
outbox = outbox_table(Base.metadata)
