"""What waits between services: rows of an outbox, messages of a queue. Asked for at each scrape, never in between."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from pika import BlockingConnection
from prometheus_client.core import GaugeMetricFamily, Metric

from loyalty_common.messaging.amqp_link import parameters
from loyalty_common.messaging.topology import dead_letter_queue_of, queue_of
from loyalty_common.metrics import Asked, gauge


def outbox_figures(engine: sa.Engine, outbox: sa.Table) -> Asked:
    """Every relay of a service shows the same figures: take their maximum, not their sum."""
    age = sa.extract("epoch", sa.func.clock_timestamp() - sa.func.min(outbox.c.created_at))
    waiting = sa.select(sa.func.count().label("rows"), sa.func.coalesce(age, 0).label("oldest_s"))

    def ask() -> Iterator[Metric]:
        with engine.begin() as connection:
            # A count of millions must not come on top of what made them millions.
            connection.execute(sa.text("SET LOCAL statement_timeout TO '3s'"))
            row = connection.execute(waiting.select_from(outbox)).one()
        yield gauge("loyalty_outbox_rows", "Events that not all subscribers have confirmed.", row.rows)
        yield gauge("loyalty_outbox_oldest_age_seconds", "Age of the oldest of them, 0 if none.", float(row.oldest_s))

    return Asked(ask)


def queue_figures(url: str, subscriber: str) -> Asked:
    """Every consumer of a queue shows the same figures: take their maximum, not their sum."""

    def ask() -> Iterator[Metric]:
        depth = GaugeMetricFamily("loyalty_queue_messages", "Messages that no consumer has yet.", labels=["queue"])
        with BlockingConnection(parameters(url, f"{subscriber} figures")) as connection:
            channel = connection.channel()
            for queue in (queue_of(subscriber), dead_letter_queue_of(subscriber)):
                depth.add_metric([queue], channel.queue_declare(queue, passive=True).method.message_count)
        yield depth

    return Asked(ask)
