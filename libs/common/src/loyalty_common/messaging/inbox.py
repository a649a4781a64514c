"""The inbox: a message counts once, however often it arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, DateTime, Engine, Index, MetaData, Table, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from loyalty_common.messaging.message import Message

# Longer than any broker or relay takes to deliver again what it did not see confirmed.
RETENTION_DAYS = 14


def inbox_table(metadata: MetaData) -> Table:
    return Table(
        "inbox",
        metadata,
        Column("message_id", Uuid, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("ix_inbox_received_at", "received_at", postgresql_using="brin"),
    )


def accept(connection: Connection, inbox: Table, messages: Sequence[Message]) -> list[Message]:
    """The messages that were not accepted before, by id. Belongs in the transaction of their effect.

    A message that another transaction is accepting at this moment is waited for.
    """
    by_id = {message.id: message for message in messages}
    # Sorted, so that consumers with the same messages wait for each other in one order: unsorted, they deadlock.
    ids = sorted(by_id)
    arriving = select(func.unnest(bindparam("message_ids", ids, type_=ARRAY(Uuid))))
    statement = insert(inbox).from_select(["message_id"], arriving).on_conflict_do_nothing()
    new = set(connection.scalars(statement.returning(inbox.c.message_id)))
    return [by_id[message_id] for message_id in ids if message_id in new]


def handler(
    engine: Engine, inbox: Table, effects: Mapping[str, Callable[[Connection, Message], None]]
) -> Callable[[Sequence[Message]], None]:
    """Handles a batch in one transaction: the inbox rows and, by publisher, what each new message effects here.

    What was handled before, or is of a publisher without an effect, passes.
    """

    def handle(messages: Sequence[Message]) -> None:
        with engine.begin() as connection:
            # In one order for all consumers: two that learn of the same customers would deadlock.
            for message in sorted(accept(connection, inbox, messages), key=_subject):
                if message.publisher in effects:
                    effects[message.publisher](connection, message)

    return handle


def _subject(message: Message) -> tuple[Any, ...]:
    return message.publisher, message.tenant_id, str(message.data.get("id"))
