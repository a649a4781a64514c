from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from loyalty_common.messaging.outbox_rows import LEASE_S
from loyalty_common.messaging.relay import run_relay
from loyalty_common.messaging.topology import queue_of

WEBHOOKS, PROGRAMS, VOUCHERS = queue_of("webhooks"), queue_of("programs"), queue_of("vouchers")


@pytest.fixture
def start_relay(service: Any, broker: Any, running: Any) -> Any:
    def start() -> Any:
        return running(
            run_relay,
            engine=service.engine,
            outbox=service.outbox,
            publisher="programs",
            events_url=broker.url,
            signer=None,
        )

    return start


def test_an_event_leaves_the_outbox_as_a_message(service: Any, broker: Any, start_relay: Any, eventually: Any) -> None:
    at = datetime(2026, 5, 16, 10, 12, tzinfo=UTC)
    [event_id] = service.emit("customer.created", created_at=at, version=3)
    start_relay()
    eventually(lambda: service.waiting() == 0)
    [message] = broker.take(WEBHOOKS)
    assert (message.id, message.event, message.publisher) == (event_id, "customer.created", "programs")
    assert (message.tenant_id, message.version, message.created_at) == (7, 3, at)
    assert message.data == {"number": 0}
    assert broker.take(PROGRAMS) == broker.take(VOUCHERS) == [message]


def test_events_beyond_one_batch_all_leave(service: Any, broker: Any, start_relay: Any, eventually: Any) -> None:
    ids = service.emit("loyalty.points_earned", 1_234)
    start_relay()
    eventually(lambda: service.waiting() == 0)
    assert sorted(message.id for message in broker.take(WEBHOOKS)) == sorted(ids)


def test_a_transaction_that_commits_late_is_not_skipped(
    service: Any, broker: Any, start_relay: Any, eventually: Any
) -> None:
    start_relay()
    with service.engine.connect() as late:
        late.execute(text("SELECT now()"))  # Begins before, commits after the other.
        row = service.row("loyalty.enrolled")
        late.execute(service.outbox.insert(), row)
        service.emit("loyalty.points_earned")
        eventually(lambda: broker.count(WEBHOOKS) == 1)
        late.commit()
    eventually(lambda: broker.count(WEBHOOKS) == 2)
    assert row["id"] in {message.id for message in broker.take(WEBHOOKS)}


def test_relays_side_by_side_send_each_event_once(service: Any, broker: Any, start_relay: Any, eventually: Any) -> None:
    ids = service.emit("loyalty.points_earned", 3_000)
    start_relay()
    start_relay()
    eventually(lambda: service.waiting() == 0)
    assert sorted(message.id for message in broker.take(WEBHOOKS)) == sorted(ids)


def test_nothing_is_published_while_one_subscriber_has_no_queue(
    service: Any, broker: Any, start_relay: Any, eventually: Any
) -> None:
    start_relay()
    service.emit("customer.created")
    eventually(lambda: service.waiting() == 0)
    broker.reset()
    broker.do(lambda channel: channel.queue_delete(VOUCHERS))
    ids = service.emit("customer.updated", 20)
    # The relay connects anew, declares what is missing and goes on, without waiting for its lease to end: the others'
    # copies had to wait for that.
    eventually(lambda: service.waiting() == 0, within_s=LEASE_S - 1)
    for queue in (VOUCHERS, PROGRAMS, WEBHOOKS):
        assert sorted(message.id for message in broker.take(queue)) == sorted(ids)


def test_an_event_without_any_queue_stays_in_the_outbox(
    service: Any, broker: Any, start_relay: Any, eventually: Any
) -> None:
    [orphan] = service.emit("weather.changed")
    service.emit("loyalty.points_earned")
    start_relay()
    eventually(lambda: broker.count(WEBHOOKS) == 1 and service.waiting() == 1)
    with service.engine.connect() as connection:
        assert connection.scalar(text("SELECT id FROM outbox WHERE available_at > now()")) == orphan
