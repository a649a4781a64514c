"""What was learned of each endpoint as a receiver."""

from __future__ import annotations

from sqlalchemy import Boolean, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_webhooks.models.base import Base, Id, Moment


class Lane(Base):
    """How an endpoint answers, shared by all senders.

    A row comes with the first attempt that taught something; where there is none, everything is as in a new one. So a
    lane is forgotten by deleting its row. Apart from the endpoint's settings, which merchants write: a sender that
    learns must not wait for them, nor they for it.
    """

    __tablename__ = "lanes"

    tenant_id: Mapped[Id]
    endpoint_id: Mapped[Id]
    in_flight_limit: Mapped[int] = mapped_column(SmallInteger, server_default="4")
    is_proven: Mapped[bool] = mapped_column(Boolean, server_default="false", comment="has ever answered 2xx")
    slowness: Mapped[int] = mapped_column(
        SmallInteger, server_default="0", comment="up with slow answers and timeouts, down with fast ones"
    )
    failures: Mapped[int] = mapped_column(Integer, server_default="0", comment="since the last success")
    failing_since: Mapped[Moment | None] = mapped_column(comment="the first of them")
    times_opened: Mapped[int] = mapped_column(
        SmallInteger, server_default="0", comment="the breaker, since the last success; 0 is closed"
    )
    blocked_until: Mapped[Moment | None] = mapped_column(comment="by the breaker, or as the receiver asked for")
    next_send_at: Mapped[Moment | None] = mapped_column(comment="what the rate limit has been spent up to")

    # Changed in place, again and again: room for it in each page keeps the index out of it.
    __table_args__ = ({"postgresql_with": {"fillfactor": "50"}},)
