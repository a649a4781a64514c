"""One effect per Idempotency-Key: the reply is stored in the transaction of the effect.

A service's *load* joins the stored row (``replay_columns``), its *record* writes one (``idempotency_row``).
The first request that is still running holds the unique index: the second waits there or at the lock,
then runs again and finds the reply.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Index,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    and_,
    bindparam,
    text,
)

from loyalty_common import personal
from loyalty_common.errors import IdempotencyKeyReused

RETENTION_DAYS = 7


@dataclass(frozen=True, slots=True)
class Reply:
    """What a write answers. ``data`` is JSON-ready; ``meta`` holds flags such as ``duplicate``."""

    status: int
    data: Any
    meta: Mapping[str, Any] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class RequestKey:
    """``key`` is ``client:…`` or, where the caller sent none, ``gateway:…``; both name one attempt for 7 days."""

    key: str
    fingerprint: str


def idempotency_table(metadata: MetaData) -> Table:
    return Table(
        "idempotency",
        metadata,
        Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
        Column("key", Text, primary_key=True),
        Column("fingerprint", Text, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("body", Text, nullable=False, comment="the reply's data as JSON, secrets as null"),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("customer_id", BigInteger, comment="of whom the body says more than the id, null where of nobody"),
        # Most replies of a till hold nothing personal, and cost this index nothing.
        Index("ix_idempotency_customer", "tenant_id", "customer_id", postgresql_where=text("customer_id is not null")),
        # Rows lie in the order of time, and only pruning asks for it: this index costs an insert next to nothing.
        Index("ix_idempotency_created_at", "created_at", postgresql_using="brin"),
    )


def fingerprint(method: str, path: str, body: Any) -> str:
    """Equal for equal requests: keys sorted, 24.5 = 24.50."""
    canonical = orjson.dumps([method, path, body], default=_canonical, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else f"{value.normalize():f}"
    raise TypeError(type(value).__name__)


def same_key(table: Table) -> ColumnElement[bool]:
    """Join condition of *load*; parameter ``idempotency_key``."""
    return and_(table.c.tenant_id == bindparam("tenant_id"), table.c.key == bindparam("idempotency_key"))


def replay_columns(table: Table) -> tuple[ColumnElement[Any], ...]:
    return (
        table.c.fingerprint.label("idempotency_fingerprint"),
        table.c.status.label("idempotency_status"),
        table.c.body.label("idempotency_body"),
    )


def stored_reply(loaded: Row[Any], request: RequestKey) -> Reply | None:
    """The reply that this key got before; ``IdempotencyKeyReused`` if it was for another request."""
    if loaded.idempotency_fingerprint is None:
        return None
    if loaded.idempotency_fingerprint != request.fingerprint:
        raise IdempotencyKeyReused(details={"Idempotency-Key": [IdempotencyKeyReused.default_message]})
    return Reply(loaded.idempotency_status, orjson.loads(loaded.idempotency_body), replayed=True)


def idempotency_row(
    request: RequestKey, reply: Reply, *, at: datetime, secrets: tuple[str, ...] = ()
) -> dict[str, Any]:
    """``secrets`` names keys of the reply's data that are shown once and stored as null."""
    data = {**reply.data, **dict.fromkeys(secrets)} if secrets else reply.data
    return {
        "key": request.key,
        "fingerprint": request.fingerprint,
        "status": reply.status,
        "body": orjson.dumps(data).decode(),
        "created_at": at,
        "customer_id": personal.customer_of(data),
    }
