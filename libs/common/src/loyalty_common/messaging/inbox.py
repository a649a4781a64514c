"""The inbox: a message counts once, however often it arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Column, Connection, DateTime, Engine, Index, MetaData, Table, Uuid, func, text

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


# The ids as one text and back only those that are known, mostly none: an array of UUIDs costs more than its insertion.
_ACCEPT = text("""
    with arriving as (select unnest(cast(:ids as uuid[])) as id),
         accepted as (
        insert into inbox (message_id) select id from arriving on conflict do nothing returning message_id)
    select id from arriving except select message_id from accepted
""")


def accept(connection: Connection, messages: Sequence[Message]) -> list[Message]:
    """The messages that were not accepted before, by id. Belongs in the transaction of their effect.

    A message that another transaction is accepting at this moment is waited for.
    """
    by_id = {message.id: message for message in messages}
    # Sorted, so that consumers with the same messages wait for each other in one order: unsorted, they deadlock.
    ids = sorted(by_id, key=attrgetter("int"))
    known = set(connection.scalars(_ACCEPT, {"ids": f"{{{','.join([each.hex for each in ids])}}}"}))
    return [by_id[each] for each in ids if each not in known]


def handler(
    engine: Engine, effects: Mapping[str, Callable[[Connection, Message], None]]
) -> Callable[[Sequence[Message]], None]:
    """Handles a batch in one transaction: the inbox rows and, by publisher, what each new message effects here.

    What was handled before, or is of a publisher without an effect, passes.
    """

    def handle(messages: Sequence[Message]) -> None:
        with engine.begin() as connection:
            # In one order for all consumers: two that learn of the same customers would deadlock.
            for message in sorted(accept(connection, messages), key=_subject):
                if message.publisher in effects:
                    effects[message.publisher](connection, message)

    return handle


def _subject(message: Message) -> tuple[Any, ...]:
    return message.publisher, message.tenant_id, str(message.data.get("id"))
