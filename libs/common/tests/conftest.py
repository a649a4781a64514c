"""A ledger in miniature on real PostgreSQL: one locked row, its entries, the idempotency rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Engine, MetaData, Numeric, Table, Text, UniqueConstraint, select

from loyalty_common import database
from loyalty_common.idempotency import idempotency_table
from loyalty_testing.postgres import Postgres


@dataclass(frozen=True)
class Ledger:
    engine: Engine
    accounts: Table
    entries: Table
    idempotency: Table


@pytest.fixture
def ledger(postgres: Postgres) -> Iterator[Ledger]:
    metadata = MetaData()
    accounts = Table(
        "accounts",
        metadata,
        Column("tenant_id", BigInteger, primary_key=True),
        Column("id", BigInteger, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("balance", BigInteger, nullable=False),
    )
    entries = Table(
        "entries",
        metadata,
        Column("tenant_id", BigInteger, primary_key=True),
        Column("id", BigInteger, primary_key=True),
        Column("delta", BigInteger, nullable=False),
        Column("amount", Numeric(14, 4)),
        Column("remaining", BigInteger),
        Column("reference", Text),
        UniqueConstraint("tenant_id", "reference"),
    )
    idempotency = idempotency_table(metadata)
    engine = database.create_engine(postgres.create_database("ledger"), pool_size=40, application_name="tests")
    metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [{"tenant_id": tenant, "id": 1, "version": 1, "balance": 0} for tenant in (1, 2)]
        connection.execute(accounts.insert(), rows)
    yield Ledger(engine, accounts, entries, idempotency)
    engine.dispose()


@pytest.fixture
def rows_of(ledger: Ledger) -> Callable[[Table], list[dict[str, Any]]]:
    """All rows of a table, in the order of its key."""

    def read(table: Table) -> list[dict[str, Any]]:
        with ledger.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]

    return read
