"""The metadata of this service's tables, the suite's own among them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from loyalty_common.idempotency import idempotency_table
from loyalty_common.messaging.inbox import inbox_table
from loyalty_common.messaging.outbox import outbox_table

BigInt = Annotated[int, mapped_column(BigInteger)]
Id = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Words = Annotated[str, mapped_column(Text)]


class Base(DeclarativeBase):
    __table__: ClassVar[Table]
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


idempotency = idempotency_table(Base.metadata)
inbox = inbox_table(Base.metadata)
outbox = outbox_table(Base.metadata)
