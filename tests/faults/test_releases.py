"""A release is rolled out beside the one before it, on the schema of the newer: both serve the same merchants."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loyalty_local.suite import Suite
from loyalty_testing.integrator import Integrator
from loyalty_testing.reference import Journey
from tests.faults import release_before

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


class BothReleases(Integrator):
    """As a balancer sends a merchant's requests: to the one release, then to the other."""

    def __init__(self, base_urls: list[str], api_key: str) -> None:
        super().__init__(base_urls[0], api_key)
        self._turns = itertools.cycle(base_urls)

    def call(self, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        self.base_url = next(self._turns)
        return super().call(method, path, *arguments, **options)


@pytest.fixture(scope="module")
def today(start_suite: Callable[..., Suite], postgres: Any) -> Iterator[Suite]:
    """Has brought the databases to its schema."""
    suite = start_suite(postgres_url=postgres.url)
    yield suite
    suite.stop()


@pytest.fixture(scope="module")
def before(today: Suite, postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the release before, on the same databases."""
    code, directory = (tmp_path_factory.mktemp(name) for name in ("code", "before"))
    release_before.export(release_before.name(), code)
    shutil.copy(today.directory / "keys.json", directory)
    with release_before.running(code, directory=directory, postgres_url=postgres.url) as base_url:
        yield base_url


@pytest.mark.parametrize("first", ["today", "before"])
def test_a_merchant_is_served_by_both_releases_in_turn(
    today: Suite, before: str, found_merchant: Any, receiver: Any, first: str
) -> None:
    merchant = found_merchant(today)
    urls = [today.base_url, before]
    api = BothReleases(urls if first == "today" else urls[::-1], merchant.live_key)
    secret = api.data("POST", "/webhook-endpoints", {"url": receiver.url})["signing_secret"]
    journey = Journey(api, partner_location_id=merchant.partner_location_id)
    journey.meet()
    journey.earn()
    journey.collect()
    journey.redeem()

    heard = [
        *receiver.events("customer.created", 42, timeout_s=60),
        *receiver.events("loyalty.points_earned", 2),
        *receiver.events("stamp.issued", 1),
        *receiver.events("voucher.redeemed", 1),
    ]
    assert all(one.is_signed_with(secret) for one in heard)
    assert json.loads(today.run("programs", "check-ledger"))["faults"] == []


def test_what_one_release_did_the_other_does_not_do_again(today: Suite, before: str, found_merchant: Any) -> None:
    merchant = found_merchant(today)
    api = BothReleases([before, today.base_url], merchant.live_key)
    card = {"name": "Points", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
    path = f"/loyalty-cards/{api.data('POST', '/loyalty-cards', card)['id']}/transactions"
    customer_id = api.data("POST", "/customers", {"email": "both@example.com"})["id"]
    for number in range(10):
        purchase = {"customer_id": customer_id, "points": 1, "reference": f"POS-{number}"}
        once, again = (api.data("POST", path, purchase, key=f"sale-{number}") for _ in range(2))
        assert once == again
    assert once["points_balance_after"] == 10
