"""kill -9 of anything, or of all at once, in the middle of credits: the books balance, every event arrives.

Hard test 1 of the webhooks' design: ``make soak`` sends 20,000 events through it and kills on and on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from loyalty_testing.receiver import Received, Receiver, receiving
from loyalty_testing.soak import SOAKING
from tests.faults.killing import Killer

pytestmark = [pytest.mark.faults, pytest.mark.soak, pytest.mark.timeout(3_600 if SOAKING else 300)]

# Three events for each member, one for each purchase: 20,000 or 2,600.
MEMBERS = 400 if SOAKING else 200
PURCHASES = 18_800 if SOAKING else 2_000
TILLS = 12
ENDPOINTS = 2
PATIENCE_S = 600 if SOAKING else 120

LEDGERS = """
    select e.customer_id, e.points_balance, t.sum, t.last, t.count, t.purchases, t.bonuses
    from enrollments e left join lateral (
        select sum(points_delta), (array_agg(points_balance_after order by id desc))[1] as last, count(*),
               count(distinct reference) as purchases, count(*) filter (where type = 'bonus') as bonuses
        from points_transactions t where t.tenant_id = e.tenant_id and t.enrollment_id = e.id
    ) t on true
    where e.loyalty_card_id = %s
"""


@pytest.fixture(params=["embedded", "broker"])
def broker(request: pytest.FixtureRequest) -> Iterator[Any]:
    """RabbitMQ, or None for the embedded transport."""
    if request.param == "embedded":
        yield None
        return
    rabbitmq = request.getfixturevalue("rabbitmq")
    yield rabbitmq
    if rabbitmq.is_ours:
        rabbitmq.restart()  # whatever became of it here: others use it, too


@pytest.fixture
def fragile_suite(broker: Any, start_suite: Callable[..., Any]) -> Iterator[Any]:
    suite = start_suite(events_url=broker.url if broker else None)
    yield suite
    suite.stop()


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    with ExitStack() as opened:
        yield [opened.enter_context(receiving()) for _ in range(ENDPOINTS)]


def purchases(card_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Of members who were never seen before their first one, and come back again and again."""
    path = f"/loyalty-cards/{card_id}/transactions"
    return [
        (
            path,
            {
                "customer_email": f"member{number % MEMBERS}@example.com",
                "reference": f"POS-{number}",
                "amount": "30.00",
                "currency": "USD",
            },
        )
        for number in range(PURCHASES)
    ]


def send_all(api: Any, requests: Sequence[tuple[str, dict[str, Any]]]) -> list[Any]:
    with ThreadPoolExecutor(TILLS) as tills:
        return list(tills.map(lambda request: api.insist(*request, patience_s=PATIENCE_S), requests))


def open_card(merchant: Any) -> int:
    card = {
        "name": "Insider Points",
        "partner_location_id": merchant.partner_location_id,
        "earn_spend_amount": 10,
        "earn_points": 1,
        "earn_currency": "USD",
        "initial_bonus_points": 50,
        "auto_enroll": True,
    }
    card_id: int = merchant.api.data("POST", "/loyalty-cards", card)["id"]
    return card_id


def test_credits_and_their_events_survive_the_death_of_everything(
    fragile_suite: Any, broker: Any, found_merchant: Any, receivers: list[Receiver]
) -> None:
    merchant, began = found_merchant(fragile_suite), time.monotonic()
    secrets = [merchant.api.data("POST", "/webhook-endpoints", {"url": one.url})["signing_secret"] for one in receivers]
    card_id = open_card(merchant)
    killer = Killer(fragile_suite, broker)
    with killer.at_work():
        joined = send_all(merchant.api, [("/customers", {"email": f"member{n}@example.com"}) for n in range(MEMBERS)])
        earned = send_all(merchant.api, purchases(card_id))
    assert killer.killed.total() >= 10, "the credits were over before anything died"
    assert {answer.status_code for answer in joined} == {201}
    assert {answer.status_code for answer in earned} == {201}

    fragile_suite.wait_ready(timeout_s=PATIENCE_S)
    check_books(fragile_suite, card_id)
    deliveries = [check_deliveries(*one) for one in zip(receivers, secrets, strict=True)]
    report(killer, deliveries, took_s=time.monotonic() - began)


def check_books(suite: Any, card_id: int) -> None:
    with psycopg.connect(suite.layout.database_urls["programs"]) as database:
        ledgers = database.execute(LEDGERS, [card_id]).fetchall()
    each = PURCHASES // MEMBERS
    # 50 points to begin with, 3 for each purchase of 30.00, and not one row more.
    assert {ledger[1:] for ledger in ledgers} == {(50 + 3 * each, 50 + 3 * each, 50 + 3 * each, each + 1, each, 1)}
    assert len(ledgers) == MEMBERS


def check_deliveries(receiver: Receiver, secret: str) -> list[Received]:
    """Nothing is missing at this endpoint, and all that came is signed; what came."""
    expected = MEMBERS * 3 + PURCHASES

    def is_all_there(received: list[Received]) -> bool:
        return len(received) >= expected and len({one.body for one in received}) >= expected

    deliveries = receiver.wait_for(is_all_there, timeout_s=PATIENCE_S)
    assert all(one.is_signed_with(secret) for one in deliveries)
    envelopes = {one.envelope["id"]: one.envelope for one in deliveries}
    assert len(envelopes) == expected, "an event was published twice under two ids"
    assert sorted(envelope["sequence"] for envelope in envelopes.values()) == list(range(1, expected + 1))
    heard = [e["data"]["purchase_reference"] for e in envelopes.values() if e["event"] == "loyalty.points_earned"]
    assert sorted(reference for reference in heard if reference) == sorted(f"POS-{n}" for n in range(PURCHASES))
    return deliveries


def report(killer: Killer, deliveries: Sequence[Sequence[Received]], *, took_s: float) -> None:
    """Whatever came twice was under way when the sender or its database was killed."""
    came = Counter(int(one.headers["x-loyalty-delivery"]) for received in deliveries for one in received)
    events = MEMBERS * 3 + PURCHASES
    assert len(came) == events * ENDPOINTS
    assert {delivery_id for delivery_id, times in came.items() if times > 1} <= killer.in_flight
    print(  # noqa: T201 (pytest -s)
        f"\n{events:,} events for {ENDPOINTS} endpoints in {took_s:,.0f} s; {killer.killed.total()} kills: "
        f"{dict(sorted(killer.killed.items()))}\n  missing 0, duplicates {came.total() - len(came)} "
        f"of {len(killer.in_flight)} deliveries in flight at the kills"
    )
