"""The outbox: a change and its event are written in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import SchemaItem

from loyalty_common import tracing


def outbox_table(metadata: MetaData, *own: SchemaItem) -> Table:
    """``own``: columns and indexes of one service, for what is to be known exactly as long as an event waits."""
    return Table(
        "outbox",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("tenant_id", BigInteger, nullable=False),
        Column("event", Text, nullable=False),
        Column("version", BigInteger),
        Column("payload", Text, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("available_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("confirmed_by", ARRAY(Text), nullable=False, server_default=text("'{}'")),
        Column("traceparent", Text, comment="of the work that caused the event"),
        Index("ix_outbox_available_at", "available_at"),
        *own,
    )


def outbox_row(
    *, event: str, data: Mapping[str, Any], created_at: datetime, version: int | None = None
) -> dict[str, Any]:
    """A row for ``Record``, which adds the tenant. ``version`` is the subject's, where it has one."""
    return {
        "id": uuid.uuid4(),
        "event": event,
        "version": version,
        "payload": orjson.dumps(data).decode(),
        "created_at": created_at,
        "traceparent": tracing.traceparent(),
    }
