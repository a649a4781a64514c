"""What every table has: names for its constraints, and ``tenant_id`` in front."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData, Numeric, Table, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

# An amount of money: ten digits before the point, and the four that the finest currencies (CLF, UYW) have behind it.
Money = Annotated[Decimal, mapped_column(Numeric(14, 4))]
BigInt = Annotated[int, mapped_column(BigInteger)]
# Ids come from a sequence that *load* draws from, never from a default: the reply names them before the row exists.
Id = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Words = Annotated[str, mapped_column(Text)]


class Base(DeclarativeBase):
    __table__: ClassVar[Table]

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
