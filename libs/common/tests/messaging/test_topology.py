import re
from typing import Any
from uuid import uuid4

import pytest

from loyalty_common.messaging.topology import (
    DELIVERY_LIMIT,
    SUBSCRIPTIONS,
    dead_letter_queue_of,
    declare,
    event_regex,
    queue_of,
)


def test_declaring_again_changes_nothing(broker: Any) -> None:
    broker.put(queue_of("webhooks"), b"waiting")
    broker.do(declare)
    assert broker.count(queue_of("webhooks")) == 1


def test_a_queue_made_by_a_release_with_other_arguments_is_accepted(broker: Any) -> None:
    queue = queue_of("vouchers")
    broker.do(lambda channel: channel.queue_delete(queue))
    broker.do(lambda channel: channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"}))
    try:
        broker.do(declare)
        broker.do(lambda channel: channel.basic_publish("loyalty.events", "customer.created", b"{}"))
        assert broker.count(queue) == 1
    finally:
        broker.do(lambda channel: channel.queue_delete(queue))
        broker.do(declare)


def test_an_event_reaches_every_subscriber_that_asked_for_it(broker: Any) -> None:
    expected = {"customer.created": ["programs", "vouchers", "webhooks"], "loyalty.points_earned": ["webhooks"]}
    expected |= {"internal.endpoint_disabled": ["gateway", "programs", "vouchers"]}
    expected |= {"internal.location_updated": ["programs", "vouchers"], "internal.a.b": ["programs", "vouchers"]}
    for event, subscribers in expected.items():
        broker.do(lambda channel, event=event: channel.basic_publish("loyalty.events", event, b"{}"))
        assert [name for name in sorted(SUBSCRIPTIONS) if broker.count(queue_of(name))] == subscribers
        assert [name for name in sorted(SUBSCRIPTIONS) if re.search(event_regex(name), event)] == subscribers
        broker.reset()


@pytest.mark.parametrize("event", ["customer", "customer.", "customer.a.b", "loyalty_points", "xcustomer.created"])
def test_a_name_that_only_resembles_a_pattern_is_not_sent(event: str) -> None:
    assert not any(re.search(event_regex(subscriber), event) for subscriber in SUBSCRIPTIONS)


def test_the_delivery_limit_outlasts_any_number_of_restarts() -> None:
    assert DELIVERY_LIMIT >= 1_000


def test_a_rejected_message_is_kept_among_the_dead_letters(broker: Any, eventually: Any) -> None:
    body = str(uuid4()).encode()
    broker.put(queue_of("programs"), body)
    broker.do(
        lambda channel: channel.basic_reject(channel.basic_get(queue_of("programs"))[0].delivery_tag, requeue=False)
    )
    eventually(lambda: broker.count(dead_letter_queue_of("programs")) == 1)
    assert broker.do(lambda channel: channel.basic_get(dead_letter_queue_of("programs"), auto_ack=True))[2] == body
