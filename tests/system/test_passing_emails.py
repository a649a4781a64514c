"""An e-mail passes from one customer to another, and no till that credits by it reaches the one who had it before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

HANDS = 12


@pytest.fixture
def path(merchant: Any) -> str:
    """Where a card that takes everybody in is credited."""
    card = {"name": "Insider Points", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
    return f"/loyalty-cards/{merchant.api.data('POST', '/loyalty-cards', card)['id']}/transactions"


@pytest.fixture
def stopped_programs(suite: Any) -> Iterator[Any]:
    programs = suite.processes["programs-serve"]
    programs.stop()
    yield programs
    programs.start()
    suite.wait_ready()


def credited(api: Any, path: str) -> int:
    answer = api.insist(path, {"customer_email": "vip@example.com", "points": 1})
    assert answer.status_code == 201, answer.text
    customer_id: int = answer.json()["data"]["customer_id"]
    return customer_id


def test_the_newest_owner_is_credited_whoever_was_known_by_the_address_before(merchant: Any, path: str) -> None:
    api, owner = merchant.api, None
    for number in range(HANDS):
        if owner is not None:
            api.data("PATCH", f"/customers/{owner}", {"email": f"former{number}@example.com"})
        created = api.insist("/customers", {"email": "vip@example.com"})
        assert created.status_code == 201
        previous, owner = owner, created.json()["data"]["id"]
        assert owner != previous
        with ThreadPoolExecutor(4) as tills:
            assert set(tills.map(lambda _: credited(api, path), range(4))) == {owner}


def test_nobody_gets_an_email_while_programs_cannot_hear_who_gave_it_up(
    merchant: Any, path: str, request: pytest.FixtureRequest
) -> None:
    api = merchant.api
    alex = api.data("POST", "/customers", {"email": "vip@example.com"})["id"]
    assert credited(api, path) == alex
    programs = request.getfixturevalue("stopped_programs")
    api.data("PATCH", f"/customers/{alex}", {"email": "alex@example.com"})
    for _ in range(5):
        refused = api.call("POST", "/customers", {"email": "vip@example.com"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    programs.start()
    sam = api.insist("/customers", {"email": "vip@example.com"}).json()["data"]["id"]
    assert credited(api, path) == sam != alex
