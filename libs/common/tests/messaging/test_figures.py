"""What waits between services, as a scrape asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from loyalty_common.messaging.figures import outbox_figures, queue_figures
from loyalty_common.messaging.topology import dead_letter_queue_of, queue_of


def shown(figures: Any) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in figures.collect()
        for sample in family.samples
    }


def test_an_outbox_shows_how_much_waits_and_since_when(service: Any) -> None:
    figures = outbox_figures(service.engine, service.outbox)
    assert shown(figures) == {("loyalty_outbox_rows",): 0, ("loyalty_outbox_oldest_age_seconds",): 0}
    service.emit("customer.created", 2)
    service.emit("customer.created", created_at=datetime.now(UTC) - timedelta(hours=1))
    waiting = shown(figures)
    assert waiting[("loyalty_outbox_rows",)] == 3
    assert 3_600 <= waiting[("loyalty_outbox_oldest_age_seconds",)] < 3_700


def test_a_queue_and_its_dead_letters_show_their_depth(broker: Any, eventually: Any) -> None:
    queue, dead_letters = queue_of("vouchers"), dead_letter_queue_of("vouchers")
    broker.put(queue, b"{}", b"{}")
    broker.put(dead_letters, b"{}")
    eventually(lambda: broker.count(queue) == 2 and broker.count(dead_letters) == 1)
    name = "loyalty_queue_messages"
    assert shown(queue_figures(broker.url, "vouchers")) == {(name, queue): 2, (name, dead_letters): 1}


def test_a_broker_that_is_away_shows_nothing_and_breaks_nothing() -> None:
    assert shown(queue_figures("amqp://127.0.0.1:1/?connection_attempts=1", "vouchers")) == {}
