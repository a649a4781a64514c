"""A merchant redelivers while the sender is at it: one attempt comes of both, and their numbers have no gaps.

Hard test 11 of the webhooks' design.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from loyalty_testing.soak import SOAKING

Endpoint = Callable[..., dict[str, Any]]
HANDS = 6
ASKED = 500 if SOAKING else 30  # for each of a few deliveries
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900 if SOAKING else 300)]


@pytest.fixture
def redeliver(client: FlaskClient, gateway_token: Callable[..., str], tenant_id: int) -> Callable[[int], str]:
    """``redeliver(delivery_id)`` from any thread; what the delivery then is."""

    def post(delivery_id: int) -> str:
        headers = {"Authorization": f"Bearer {gateway_token('webhooks', tenant_id=tenant_id)}"}
        path = f"/v1/webhook-deliveries/{delivery_id}/redeliver"
        answer: Any = client.application.test_client().post(path, headers=headers)
        assert answer.status_code == 200, answer.json
        status: str = answer.json["data"]["status"]
        return status

    return post


def test_a_redelivery_that_meets_the_automatic_retry_is_the_same_attempt(
    receiver: Any,
    sending: Callable[..., None],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    db: Any,
    redeliver: Callable[[int], str],
) -> None:
    made = endpoint(receiver.url)
    over = threading.Event()
    receiver.answer = lambda _: (receiver.arrived == 1 or over.wait(20), (500, {}, b""))[1]
    publish()
    sending()
    db.wait(db.attempts)
    (delivery,) = db.deliveries()
    with ThreadPoolExecutor(HANDS) as hands:
        racing = [hands.submit(redeliver, delivery.id) for _ in range(HANDS)]
        db.hasten()
        seen = {hand.result() for hand in racing}
    db.wait(lambda: receiver.arrived == 2)
    assert redeliver(delivery.id) == "sending"
    over.set()
    db.wait(lambda: len(db.attempts()) == 2)
    # The next one is the schedule's, and not due: no second attempt was left behind.
    (waiting,) = db.queue()
    assert waiting.next_attempt_at > datetime.now(UTC)
    assert (waiting.attempt_count, waiting.claim_id, waiting.endpoint_id) == (2, None, made["id"])
    assert seen <= {"pending", "sending"}
    assert receiver.arrived == 2


def test_attempts_are_numbered_without_gaps_however_many_ask_for_them(
    receiver: Any,
    sending: Callable[..., None],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    db: Any,
    redeliver: Callable[[int], str],
) -> None:
    receiver.answer = lambda _: (500 if len(receiver.received) % 3 else 204, {}, b"")
    endpoint(receiver.url)
    publish(4)
    sending()
    deliveries = [delivery.id for delivery in db.deliveries()]
    asked = [delivery_id for _ in range(ASKED) for delivery_id in deliveries]
    with ThreadPoolExecutor(HANDS) as hands:
        for number, _ in enumerate(hands.map(redeliver, asked)):
            if number % 10 == 0:
                db.hasten()
    # What waits, waits for its retry; nothing is under way any more.
    db.wait(lambda: not [row for row in db.queue() if row.claim_id or row.next_attempt_at <= datetime.now(UTC)])
    counts = {delivery.id: delivery.attempt_count for delivery in db.deliveries()}
    numbers = {
        delivery_id: [attempt.number for attempt in db.attempts() if attempt.delivery_id == delivery_id]
        for delivery_id in deliveries
    }
    assert numbers == {delivery_id: list(range(1, count + 1)) for delivery_id, count in counts.items()}
    assert sum(counts.values()) > len(deliveries)
    arrived = Counter(
        (int(each.headers["x-loyalty-delivery"]), int(each.headers["x-loyalty-attempt"])) for each in receiver.received
    )
    assert arrived == Counter((delivery_id, number) for delivery_id in deliveries for number in numbers[delivery_id])


def test_an_exhausted_delivery_gets_one_attempt_more(
    receiver: Any,
    sending: Callable[..., None],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    db: Any,
    redeliver: Callable[[int], str],
) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    endpoint(receiver.url)
    publish()
    db.rows("update delivery_queue set attempt_count = 10 where tenant_id = :tenant_id")
    sending()
    db.wait_for_statuses("exhausted")
    redeliver(db.deliveries()[0].id)
    db.wait(lambda: len(db.attempts()) == 2)
    db.wait_for_statuses("exhausted")
    assert [attempt.number for attempt in db.attempts()] == [11, 12]
    assert db.queue() == []
