"""What is done at the counter, with the forms of a browser that knows no JavaScript."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dashboard.belongings import belongings


@pytest.fixture
def shop(merchant: Any) -> dict[str, int]:
    """Alex has 54 points, of which 20 went into a pastry; one stamp, and a coffee to be handed over."""
    return belongings(merchant.api, place=merchant.partner_location_id, name="Alex", mailbox="alex")


def wallet(merchant: Any, shop: dict[str, int]) -> Any:
    return merchant.api.data("GET", f"/customers/{shop['customer_id']}/wallet")


def balance(merchant: Any, shop: dict[str, int]) -> int:
    points: int = wallet(merchant, shop)["loyalty_cards"][0]["enrollment"]["points_balance"]
    return points


@pytest.fixture(params=["staff", "owner"])
def till(request: pytest.FixtureRequest, arrive: Any) -> Any:
    return arrive(request.param)


def test_a_customer_is_found_by_name_and_at_once_by_the_member_number(till: Any, merchant: Any, shop: Any) -> None:
    page = till.open("/dashboard/counter?search=alex%20riv")
    assert any(link.endswith(f"/counter/{shop['customer_id']}") for link in page.links)
    number = wallet(merchant, shop)["loyalty_cards"][0]["enrollment"]["member_number"]
    for shown in (number, number.replace("-", ""), f"loyalty:member:{number}"):
        page = till.open(f"/dashboard/counter?search={shown}")
        assert page.url.endswith(f"/counter/{shop['customer_id']}")
    assert "Nobody found" in till.open("/dashboard/counter?search=zzz").text


def test_an_amount_is_credited_once_however_often_its_form_is_sent(till: Any, merchant: Any, shop: Any) -> None:
    before = balance(merchant, shop)
    form = till.open(f"/dashboard/counter/{shop['customer_id']}").form(f"/points/{shop['card_id']}")
    first, second = (till.send(form, amount="1.012,50") for _ in range(2))
    assert "1012 points. The balance is" in first.text
    assert second.status == 200
    assert balance(merchant, shop) == before + 1012
    rows = merchant.api.data("GET", f"/loyalty-cards/{shop['card_id']}/transactions?type=earn")
    assert (rows[0]["amount"], rows[0]["source"], len(rows)) == ("1012.50", "dashboard", 2)


def test_what_is_no_amount_is_said_and_nothing_credited(till: Any, merchant: Any, shop: Any) -> None:
    before = balance(merchant, shop)
    form = till.open(f"/dashboard/counter/{shop['customer_id']}").form(f"/points/{shop['card_id']}")
    for wrong in ("", "abc", "-5", "1.005"):
        page = till.send(form, amount=wrong)
        assert (page.status, "Some fields are not right yet." in page.text) == (400, True)
    assert balance(merchant, shop) == before


def test_stamps_fill_a_card_and_its_reward_is_handed_over_once(till: Any, merchant: Any, shop: Any) -> None:
    path = f"/dashboard/counter/{shop['customer_id']}"
    page = till.send(till.open(path).form(f"/stamps/{shop['stamp_card_id']}"), quantity="2")
    assert "2 stamps. The card is full" in page.text
    handed = [form for form in page.forms if form.action.endswith("/hand-over") and "stamp_reward" in form.fields]
    assert len(handed) == 2
    for _ in range(2):
        assert till.send(handed[0]).status == 200
    rewards = merchant.api.data("GET", f"/stamp-cards/{shop['stamp_card_id']}/rewards")
    assert sorted(reward["status"] for reward in rewards) == ["fulfilled", "unlocked"]


def test_points_are_redeemed_and_a_claim_is_handed_over(till: Any, merchant: Any, shop: Any) -> None:
    before = balance(merchant, shop)
    path = f"/dashboard/counter/{shop['customer_id']}"
    page = till.send(till.open(path).form(f"/redemptions/{shop['card_id']}"), points="10")
    assert "10 points redeemed" in page.text
    assert balance(merchant, shop) == before - 10
    refused = till.send(page.form(f"/redemptions/{shop['card_id']}"), points="1000000")
    assert refused.status == 400
    claim = next(form for form in page.forms if "claim" in form.fields)
    till.send(claim)
    assert merchant.api.data("GET", f"/loyalty-cards/{shop['card_id']}/claims")[0]["status"] == "fulfilled"


def test_a_voucher_is_redeemed_by_its_code(till: Any, shop: Any) -> None:
    form = till.open(f"/dashboard/counter/{shop['customer_id']}").form("/voucher")
    page = till.send(form, voucher_code=f"code-{shop['customer_id']}", order_amount="12")
    assert "Take 5.00 USD off." in page.text
    unknown = till.send(page.form("/voucher"), voucher_code="NOBODYS", order_amount="12")
    assert (unknown.status, "NOBODYS" in unknown.source) == (400, True)


def test_a_phone_remembers_at_which_counter_it_stands(arrive: Any, merchant: Any, shop: Any) -> None:
    other = merchant.api.data("POST", "/partner-locations", {"name": "Lakeside", "time_zone": "America/Chicago"})
    till = arrive("manager")
    path = f"/dashboard/counter/{shop['customer_id']}"
    page = till.send(till.open(path).form("/here"), place=str(other["id"]))
    till.send(page.form(f"/points/{shop['card_id']}"), amount="3")
    [newest] = merchant.api.data("GET", f"/loyalty-cards/{shop['card_id']}/transactions?type=earn&per_page=1")
    assert newest["partner_location_id"] == other["id"]
    ledger = till.open(f"/dashboard/customers/{shop['customer_id']}/points/{shop['card_id']}")
    assert "Lakeside" in ledger.text


def test_who_has_no_card_becomes_a_member_at_the_counter(arrive: Any, merchant: Any, shop: Any) -> None:
    sam = merchant.api.data("POST", "/customers", {"email": "sam@example.com"})
    till = arrive("manager")
    page = till.send(till.open(f"/dashboard/counter/{sam['id']}").form("/enroll"))
    assert page.url.endswith(f"/counter/{sam['id']}")
    assert "Now a member." in page.text
    assert "50 points" in page.text
