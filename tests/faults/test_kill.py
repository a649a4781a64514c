"""kill -9 of anything, or of all at once, in the middle of 2,000 credits: the books balance, every event arrives."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

pytestmark = pytest.mark.faults

PURCHASES = 2_000
MEMBERS = 200
TILLS = 12
KILLS_PER_PROCESS = 2

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
def fragile_suite(request: pytest.FixtureRequest, start_suite: Callable[..., Any]) -> Iterator[Any]:
    broker = request.getfixturevalue("rabbitmq") if request.param == "broker" else None
    suite = start_suite(events_url=broker.url if broker else None)
    yield suite
    suite.stop()


@contextmanager
def killing(suite: Any) -> Iterator[list[str]]:
    """Kills each process twice in random order, then all of them at once; lists what it killed."""
    killed: list[str] = []
    over = threading.Event()
    names = [name for name in suite.processes if "job" not in name]
    order = random.sample(names * KILLS_PER_PROCESS, len(names) * KILLS_PER_PROCESS)

    def kill() -> None:
        for victims in [*([name] for name in order), names]:
            if over.wait(random.uniform(0.3, 0.9)):
                return
            for name in victims:
                suite.processes[name].kill()
                killed.append(name)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


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
        return list(tills.map(lambda request: api.insist(*request, patience_s=120), requests))


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


def test_two_thousand_credits_survive_the_death_of_everything(
    fragile_suite: Any, found_merchant: Any, receiver: Any
) -> None:
    merchant = found_merchant(fragile_suite)
    secret = merchant.api.data("POST", "/webhook-endpoints", {"url": receiver.url})["signing_secret"]
    card_id = open_card(merchant)
    with killing(fragile_suite) as killed:
        joined = send_all(merchant.api, [("/customers", {"email": f"member{n}@example.com"}) for n in range(MEMBERS)])
        earned = send_all(merchant.api, purchases(card_id))
    assert len(killed) >= 10, "the credits were over before anything died"
    assert {answer.status_code for answer in joined} == {201}
    assert {answer.status_code for answer in earned} == {201}

    fragile_suite.wait_ready(timeout_s=90)
    with psycopg.connect(fragile_suite.layout.database_urls["programs"]) as database:
        ledgers = database.execute(LEDGERS, [card_id]).fetchall()
    each = PURCHASES // MEMBERS
    # 50 points to begin with, 3 for each purchase of 30.00, and not one row more.
    assert {ledger[1:] for ledger in ledgers} == {(50 + 3 * each, 50 + 3 * each, 50 + 3 * each, each + 1, each, 1)}
    assert len(ledgers) == MEMBERS

    expected = MEMBERS * 3 + PURCHASES
    deliveries = receiver.wait_for(lambda all_: len({one.body for one in all_}) >= expected, timeout_s=120)
    assert all(one.is_signed_with(secret) for one in deliveries)
    envelopes = {one.envelope["id"]: one.envelope for one in deliveries}
    assert len(envelopes) == expected, "an event was published twice under two ids"
    assert sorted(envelope["sequence"] for envelope in envelopes.values()) == list(range(1, expected + 1))
    heard = [e["data"]["purchase_reference"] for e in envelopes.values() if e["event"] == "loyalty.points_earned"]
    assert sorted(reference for reference in heard if reference) == sorted(f"POS-{n}" for n in range(PURCHASES))
    print(f"{len(killed)} kills; {expected} events, {len(deliveries) - expected} of them delivered again")  # noqa: T201


def test_the_broker_may_close_connections_and_restart_in_the_middle(
    start_suite: Callable[..., Any], found_merchant: Any, receiver: Any, rabbitmq: Any
) -> None:
    suite = start_suite(events_url=rabbitmq.url)
    try:
        merchant = found_merchant(suite)
        merchant.api.data("POST", "/webhook-endpoints", {"url": receiver.url, "events": ["loyalty.points_earned"]})
        card_id = open_card(merchant)
        for number in range(20):
            merchant.api.data("POST", "/customers", {"email": f"member{number}@example.com"})
        interruptions = {50: rabbitmq.close_connections, 120: rabbitmq.restart, 220: rabbitmq.close_connections}
        interrupted = []
        with ThreadPoolExecutor(1) as beside:
            for number in range(300):
                if number in interruptions:
                    interrupted.append(beside.submit(interruptions[number]))
                sent = {"customer_email": f"member{number % 20}@example.com", "points": 1, "reference": f"POS-{number}"}
                merchant.api.data("POST", f"/loyalty-cards/{card_id}/transactions", sent)
        for interruption in interrupted:
            interruption.result()
        # 20 bonuses and 300 credits: none needed the broker to be there.
        receiver.wait_for(lambda all_: len({one.body for one in all_}) >= 320, timeout_s=90)
    finally:
        suite.stop()
