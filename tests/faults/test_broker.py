"""RabbitMQ closes connections, restarts, and is down for minutes: hard test 4 of the webhooks' design."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from loyalty_testing.soak import SOAKING

pytestmark = [pytest.mark.faults, pytest.mark.soak, pytest.mark.timeout(900 if SOAKING else 300)]

DOWN_S = 180 if SOAKING else 3
# From the moment that the broker answers again. A busy machine is given more.
RESUMES_S = 10 if SOAKING else 60
MEMBERS = 20


@pytest.fixture(scope="module")
def interrupted_suite(start_suite: Callable[..., Any], rabbitmq: Any) -> Iterator[Any]:
    suite = start_suite(events_url=rabbitmq.url)
    yield suite
    suite.stop()


class Shop:
    """Credits points to its members, one after the other, and hears of each."""

    def __init__(self, merchant: Any, receiver: Any) -> None:
        self.api, self.receiver = merchant.api, receiver
        endpoint = {"url": receiver.url, "events": ["loyalty.points_earned"]}
        self.endpoint_id = self.api.data("POST", "/webhook-endpoints", endpoint)["id"]
        card = {"name": "Insider Points", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
        self._path = f"/loyalty-cards/{self.api.data('POST', '/loyalty-cards', card)['id']}/transactions"
        for number in range(MEMBERS):
            self.api.data("POST", "/customers", {"email": f"member{number}@example.com"})

    def credit(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            email = f"member{number % MEMBERS}@example.com"
            self.api.data("POST", self._path, {"customer_email": email, "points": 1, "reference": f"POS-{number}"})

    def wait_for(self, references: Sequence[int], *, timeout_s: float) -> None:
        wanted = {f"POS-{number}" for number in references}
        self.receiver.wait_for(
            lambda all_: {one.envelope["data"]["purchase_reference"] for one in all_} >= wanted, timeout_s=timeout_s
        )


@pytest.fixture
def shop(interrupted_suite: Any, found_merchant: Any, receiver: Any) -> Shop:
    return Shop(found_merchant(interrupted_suite), receiver)


def test_the_broker_may_close_connections_and_restart_in_the_middle(shop: Shop, rabbitmq: Any) -> None:
    interruptions = {50: rabbitmq.close_connections, 120: rabbitmq.restart, 220: rabbitmq.close_connections}
    interrupted = []
    with ThreadPoolExecutor(1) as beside:
        for number in range(300):
            if number in interruptions:
                interrupted.append(beside.submit(interruptions[number]))
            shop.credit([number])
    for interruption in interrupted:
        interruption.result()
    # None of the credits needed the broker to be there.
    shop.wait_for(range(300), timeout_s=90)


def test_while_the_broker_is_down_what_is_stored_is_delivered_and_the_rest_follows_by_itself(
    shop: Shop, rabbitmq: Any
) -> None:
    shop.credit(range(20))
    shop.wait_for(range(20), timeout_s=60)
    rabbitmq.stop()
    try:
        over = threading.Timer(DOWN_S, lambda: None)
        over.start()
        shop.credit(range(20, 70))
        stored = shop.api.call("GET", f"/webhook-deliveries?endpoint_id={shop.endpoint_id}&per_page=50").json()["data"]
        before = len(shop.receiver.received)
        for delivery in stored:
            shop.api.data("POST", f"/webhook-deliveries/{delivery['id']}/redeliver")
        again = shop.receiver.wait_for(lambda all_: len(all_) >= before + len(stored), timeout_s=60)
        assert len(stored) == before
        assert {one.headers["x-loyalty-attempt"] for one in again[before:]} == {"2"}
        over.join()
    finally:
        rabbitmq.start()
    answers_at = time.time()
    shop.wait_for(range(20, 70), timeout_s=90)
    took_s = max(shop.receiver.received[len(again)].at - answers_at, 0)
    print(f"\n{DOWN_S} s without a broker: the next event arrived {took_s:.1f} s after it answered again")  # noqa: T201
    assert took_s < RESUMES_S
