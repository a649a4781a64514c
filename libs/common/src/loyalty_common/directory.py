"""What a service remembers of other services' customers and partner locations.

Fed by their events; on a miss the owner is asked outside any transaction, and the operation starts again.
Newer versions win, whichever way they came. An erased customer leaves a tombstone: no late event brings him back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Index,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from loyalty_common.database import Transaction, perform, transaction
from loyalty_common.fields import normalized_email
from loyalty_common.messaging.message import MalformedMessage, Message
from loyalty_common.service_client import ServiceClient

_T = TypeVar("_T")
_LOOKUPS = 4
# What a customer's events carry beside the customer object.
_BESIDE_THE_CUSTOMER = frozenset(
    "customer source changed enrollment transaction stamp_transactions voucher_redemption erased_at".split()
)


class MissingFromDirectory(Exception):
    """The operation needs a customer or a location that this service has not heard of."""

    def __init__(
        self,
        *,
        customer_id: int | None = None,
        email: str | None = None,
        partner_location_id: int | None = None,
        otherwise: Exception,
    ) -> None:
        """Exactly one of the three is named; ``otherwise`` is raised if its owner does not know it either."""
        super().__init__(customer_id, email, partner_location_id)
        self.customer_id = customer_id
        self.email = email
        self.partner_location_id = partner_location_id
        self.otherwise = otherwise


def customer_directory_table(metadata: MetaData) -> Table:
    return Table(
        "customer_directory",
        metadata,
        Column("tenant_id", BigInteger, primary_key=True, autoincrement=False),
        Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("email", Text, comment="normalised; an index, not unique: it may pass from one customer to another"),
        Column("profile", JSONB, comment="the customer object as its owner returns it; all null once erased"),
        Column("version", BigInteger, nullable=False),
        Column("erased_at", DateTime(timezone=True)),
        Column("forgotten_at", DateTime(timezone=True), comment="when all went that was kept here of an erased one"),
        Index("ix_customer_directory_email", "tenant_id", "email"),
        Index(
            "ix_customer_directory_to_forget",
            "tenant_id",
            "customer_id",
            postgresql_where=text("erased_at is not null and forgotten_at is null"),
        ),
    )


def location_directory_table(metadata: MetaData) -> Table:
    return Table(
        "location_directory",
        metadata,
        Column("organization_id", BigInteger, primary_key=True, autoincrement=False),
        Column("partner_location_id", BigInteger, primary_key=True, autoincrement=False),
        Column("name", Text, nullable=False),
        Column("time_zone", Text, nullable=False),
        Column("is_active", Boolean, nullable=False),
        Column("version", BigInteger, nullable=False),
    )


class Directory:
    """The two tables and the ways into them."""

    def __init__(self, metadata: MetaData) -> None:
        self.customers = customer_directory_table(metadata)
        self.locations = location_directory_table(metadata)

    def learn_customer(
        self, tx: Transaction, *, customer: Mapping[str, Any] | None, customer_id: int, version: int, erased_at: Any
    ) -> None:
        """``customer`` is the owner's object: with ``erased_at`` set one of nulls, or None if it was asked for."""
        row = {"customer_id": customer_id, "profile": customer, "version": version, "erased_at": erased_at}
        self.learn_customers(tx, [row])

    def learn_customers(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
        """All at once; each has ``customer_id``, ``profile`` (as above), ``version``, ``erased_at``."""
        values = [
            {**row, "tenant_id": tx.tenant_id, "email": normalized_email(profile["email"]) if known else None}
            # In the order in which consumers learn: two that learn of the same customers would deadlock.
            for row in sorted(rows, key=lambda row: str(row["customer_id"]))
            for profile in [row["profile"]]
            for known in [profile is not None and row["erased_at"] is None]
        ]
        tx.connection.execute(_newer_wins(insert(self.customers), self.customers), values)

    def hear_of_customer(self, connection: Connection, message: Message) -> None:
        """Effect of customer.created and customer.updated as the customers service publishes them."""
        if message.event not in ("customer.created", "customer.updated") or message.data.get("redacted"):
            # What was taken out of while it waited says nothing any more: the erasure's own event follows.
            return
        if message.version is None:
            raise MalformedMessage("a customer's event without a version")
        erased_at = message.data.get("erased_at")
        profile = {key: value for key, value in message.data.items() if key not in _BESIDE_THE_CUSTOMER}
        self.learn_customer(
            Transaction(connection, message.tenant_id),
            customer=profile,
            customer_id=message.data["id"],
            version=message.version,
            erased_at=erased_at,
        )

    def hear_of_location(self, connection: Connection, message: Message) -> None:
        """Effect of internal.location_updated."""
        if message.event != "internal.location_updated":
            return
        if message.version is None:
            raise MalformedMessage("a partner location's event without a version")
        organization_id = message.data["organization_id"]
        self.learn_location(connection, location=message.data, organization_id=organization_id, version=message.version)

    def learn_location(
        self, connection: Connection, *, location: Mapping[str, Any], organization_id: int, version: int
    ) -> None:
        statement = insert(self.locations).values(
            organization_id=organization_id,
            partner_location_id=location["id"],
            name=location["name"],
            time_zone=location["time_zone"],
            is_active=location["is_active"],
            version=version,
        )
        connection.execute(_newer_wins(statement, self.locations))


def _newer_wins(statement: Any, table: Table) -> Any:
    keys = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in [column.name for column in table.columns] if name not in keys}
    return statement.on_conflict_do_update(
        index_elements=keys, set_=values, where=table.c.version < statement.excluded.version
    )


class DirectoryFallback:
    """Runs operations; asks the owners for what the directory misses."""

    def __init__(
        self, engine: Engine, directory: Directory, *, customers: ServiceClient, accounts: ServiceClient
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._customers = customers
        self._accounts = accounts

    def perform(self, tenant_id: int, organization_id: int, operation: Callable[[Transaction], _T]) -> _T:
        """``database.perform``, again after each fact that had to be fetched (at most four)."""
        for _ in range(_LOOKUPS):
            try:
                return perform(self._engine, tenant_id, operation)
            except MissingFromDirectory as missing:
                if missing.partner_location_id is not None:
                    self._fetch_location(tenant_id, organization_id, missing)
                else:
                    self._fetch_customer(tenant_id, missing)
        return perform(self._engine, tenant_id, operation)

    def _fetch_customer(self, tenant_id: int, missing: MissingFromDirectory) -> None:
        wanted = {"customer_id": missing.customer_id, "email": missing.email}
        params = {name: value for name, value in wanted.items() if value is not None}
        found = self._customers.get("/internal/customers", tenant_id=tenant_id, params=params)
        if found is None:
            raise missing.otherwise
        with transaction(self._engine, tenant_id) as tx:
            self._directory.learn_customer(
                tx,
                customer=found["customer"],
                customer_id=found["customer_id"],
                version=found["version"],
                erased_at=found["erased_at"],
            )

    def _fetch_location(self, tenant_id: int, organization_id: int, missing: MissingFromDirectory) -> None:
        path = f"/internal/partner-locations/{missing.partner_location_id}"
        found = self._accounts.get(path, tenant_id=tenant_id, params={"organization_id": organization_id})
        if found is None:
            raise missing.otherwise
        with self._engine.begin() as connection:
            self._directory.learn_location(
                connection,
                location=found["partner_location"],
                organization_id=organization_id,
                version=found["version"],
            )
