"""What endpoints that answer notice of those that do not: hard tests 2 and 3 of the webhooks' design.

The suite runs them small, and asserts little of their figures, for its machine may be busy. ``make soak`` runs them at
full size and prints throughput and p99 with and without bad neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty_testing.soak import SOAKING

GOOD = 100 if SOAKING else 20
BACKLOG = 50_000 if SOAKING else 1_000
MEASURED = {"burst": 100, "trickle": 100, "every_s": 0.25} if SOAKING else {"burst": 25, "trickle": 15, "every_s": 0.1}
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_200 if SOAKING else 300)]


def compare(title: str, alone: Any, beside: Any) -> None:
    print(f"\n{title}\n  without: {alone}\n  with:    {beside}")  # noqa: T201 (pytest -s)
    share, slack_ms = (0.9, 0) if SOAKING else (0.2, 2_000)  # who waits for a tarpit waits for 15,000
    assert beside.per_s >= share * alone.per_s
    assert beside.p99_ms <= 2 * alone.p99_ms + slack_ms


def test_noisy_neighbours_do_not_slow_down_endpoints_that_answer(
    neighbourhood: Any, bad_receivers: Any, deliver: Callable[..., Any], purchase: Callable[..., Any], receiver: Any
) -> None:
    neighbourhood.good_endpoints(GOOD)
    sender = deliver(DELIVER_THREADS="64", LOG_LEVEL="error")
    neighbourhood.burst(purchase, 5)
    alone = neighbourhood.measure(purchase, **MEASURED)
    backlog = neighbourhood.endpoint(f"{receiver.url}?backlog")
    neighbourhood.owe(purchase, BACKLOG, to=backlog)
    for open_one in ("tarpit", "dripping_headers", "dripping_body", "dead_port"):
        neighbourhood.endpoint(getattr(bad_receivers, open_one)())
    compare("Noisy neighbours", alone, neighbourhood.measure(purchase, **MEASURED))
    sender.process.kill()
    sender.process.wait()


def test_200_endpoints_of_one_organization_on_a_tarpit_do_not_slow_down_other_organizations(
    neighbourhood: Any, bad_receivers: Any, deliver: Callable[..., Any], purchase: Callable[..., Any], tenant_id: int
) -> None:
    neighbourhood.good_endpoints(GOOD)
    sender = deliver(DELIVER_THREADS="64", LOG_LEVEL="error")
    neighbourhood.burst(purchase, 5)
    alone = neighbourhood.measure(purchase, **MEASURED)
    tarpit, theirs = bad_receivers.tarpit(), tenant_id + 500_000
    for number in range(200):
        neighbourhood.endpoint(f"{tarpit}?{number}", tenant=theirs)
    neighbourhood.publish([purchase(tenant_id=theirs) for _ in range(20)])
    compare("200 endpoints on a tarpit", alone, neighbourhood.measure(purchase, **MEASURED))
    leased = neighbourhood.db.rows(
        "select count(*) as count from delivery_queue where tenant_id = :theirs and claim_id is not null",
        theirs=theirs,
    )
    # Of 64 places to one host, 8 for endpoints that never answered, and 4 for what comes back of those that did not.
    assert leased[0].count <= 12
    sender.process.kill()
    sender.process.wait()


def test_an_endpoint_that_is_new_is_served_beside_200_on_a_tarpit(
    neighbourhood: Any, bad_receivers: Any, deliver: Callable[..., Any], purchase: Callable[..., Any], tenant_id: int
) -> None:
    tarpit, theirs = bad_receivers.tarpit(), tenant_id + 500_000
    for number in range(200):
        neighbourhood.endpoint(f"{tarpit}?{number}", tenant=theirs)
    neighbourhood.publish([purchase(tenant_id=theirs) for _ in range(5)])
    sender = deliver(DELIVER_THREADS="64")
    of_theirs = "select 1 from delivery_queue where tenant_id = :theirs and claim_id is not null"
    neighbourhood.db.wait(lambda: neighbourhood.db.rows(of_theirs, theirs=theirs))
    neighbourhood.good_endpoints(1)
    (took_ms,) = neighbourhood.trickle(purchase, 1, every_s=0)
    assert took_ms < 5_000  # a tarpit is given 15 s
    sender.process.kill()
    sender.process.wait()
