"""Cards, rewards, stamp cards, vouchers, referral programs and locations are created, changed and paused with forms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dashboard.belongings import belongings


@pytest.fixture
def shop(merchant: Any) -> dict[str, int]:
    return belongings(merchant.api, place=merchant.partner_location_id, name="Alex", mailbox="alex")


@pytest.fixture
def manager(arrive: Any) -> Any:
    return arrive("manager")


def id_of(page: Any) -> int:
    return int(page.url.rpartition("/")[2])


@pytest.mark.parametrize(
    ("noun", "sent", "changed"),
    [
        (
            "loyalty-cards",
            {"name": "Points", "earn_spend_amount": "10,00", "points_expire_after_months": "12"},
            {"initial_bonus_points": 25, "refund_floor": "zero"},
        ),
        (
            "stamp-cards",
            {"name": "Coffee Club", "reward_title": "Free coffee", "valid_until": "2099-12-31"},
            {"stamps_required_for_reward": 8},
        ),
        (
            "vouchers",
            {"name": "Spring", "voucher_code": "SPRING20", "discount_value": "20", "minimum_order_amount": "8,50"},
            {"max_redemptions": 3},
        ),
    ],
)
def test_each_kind_is_created_once_changed_and_paused(
    manager: Any, merchant: Any, noun: str, sent: dict[str, str], changed: dict[str, Any]
) -> None:
    form = manager.open(f"/dashboard/{noun}/new").form()
    assert manager.send(form, name="").status == 400
    first, second = (manager.send(form, **sent) for _ in range(2))
    assert first.url == second.url
    path = f"/{noun}/{id_of(first)}"
    made = merchant.api.data("GET", path)
    manager.send(manager.open(f"/dashboard{path}/edit").form(), **changed)
    after = merchant.api.data("GET", path)
    assert after == {**made, **changed, "updated_at": after["updated_at"]}, "the rest of the form says what was so"
    assert "Paused" in manager.send(manager.open(f"/dashboard{path}").form("/active")).text
    assert merchant.api.data("GET", path)["is_active"] is False
    assert "Active" in manager.send(manager.open(f"/dashboard{path}").form("/active")).text


def test_a_reward_is_created_changed_and_paused(manager: Any, merchant: Any, shop: Any) -> None:
    card = f"/loyalty-cards/{shop['card_id']}"
    form = manager.open(f"/dashboard{card}/rewards/new").form()
    assert "Bag of beans" in manager.send(form, title="Bag of beans", points_cost="150", quantity="10").text
    reward = next(one for one in merchant.api.data("GET", f"{card}/rewards") if one["title"] == "Bag of beans")
    edit = manager.open(f"/dashboard{card}/rewards/{reward['id']}/edit").form()
    page = manager.send(edit, points_cost="140")
    manager.send(page.form(f"/rewards/{reward['id']}/active"))
    after = merchant.api.data("GET", f"{card}/rewards/{reward['id']}")
    assert (after["points_cost"], after["quantity"], after["is_active"]) == (140, 10, False)


def test_a_purchase_is_taken_back_in_part_and_a_claim_cancelled(manager: Any, merchant: Any, shop: Any) -> None:
    card = f"/loyalty-cards/{shop['card_id']}"
    form = manager.open(f"/dashboard{card}/transactions/{shop['transaction_id']}/reverse").form()
    assert manager.send(form, amount="99").status == 400
    manager.send(form, amount="4,50")
    manager.send(manager.open(f"/dashboard{card}/claims").form("/cancel"))
    rows = merchant.api.data("GET", f"{card}/transactions?type=reverse")
    assert [(row["points_delta"], row["amount"]) for row in rows] == [(20, None), (-4, "4.50")]


def test_stamps_and_a_redemption_are_taken_back(manager: Any, merchant: Any, shop: Any) -> None:
    manager.send(manager.open(f"/dashboard/stamp-cards/{shop['stamp_card_id']}/stamps").form("/reverse"))
    progress = f"/stamp-cards/{shop['stamp_card_id']}/progress?customer_id={shop['customer_id']}"
    assert merchant.api.data("GET", progress)["stamps_balance"] == 0
    manager.send(manager.open(f"/dashboard/vouchers/{shop['voucher_id']}").form("/rollback"))
    assert merchant.api.data("GET", f"/vouchers/{shop['voucher_id']}")["redemptions_count"] == 0


def test_a_batch_is_made_once_and_its_codes_can_be_downloaded(manager: Any, merchant: Any) -> None:
    form = manager.open("/dashboard/vouchers/batches/new").form()
    sent = {"name": "Flyer", "quantity": "3", "code_prefix": "MAY-", "discount_value": "10"}
    first, second = (manager.send(form, **sent) for _ in range(2))
    assert first.url == second.url
    codes = manager.open(next(link for link in first.links if link.endswith("codes.csv"))).response
    assert codes.text.count("MAY-") == 3
    assert len(merchant.api.data("GET", "/vouchers")) == 3
    assert first.text.count("MAY-") == 3


def test_milestones_stay_the_same_ones_when_others_are_added(manager: Any, merchant: Any, shop: Any) -> None:
    form = manager.open("/dashboard/referral-programs/new").form()
    sent = {"name": "Bring a friend", "type_0": "first_purchase", "value_0": "5,00", "type_1": "enrolled"}
    program = f"/referral-programs/{id_of(manager.send(form, **sent))}"
    before = merchant.api.data("GET", program)["milestones"]
    edit = manager.open(f"/dashboard{program}/edit").form()
    manager.send(edit, type_2="purchase_count", value_2="5", referrer_points_2="200")
    after = merchant.api.data("GET", program)["milestones"]
    assert after[:2] == before
    assert (after[2]["count"], after[2]["referrer_points"], after[2]["referred_points"]) == (5, 200, None)
    assert [milestone["minimum_amount"] for milestone in after] == ["5.00", None, None]
    assert manager.send(edit, type_0="", type_1="", type_2="").status == 400


def test_a_merchant_says_that_a_friend_is_worth_it(manager: Any, merchant: Any, shop: Any) -> None:
    path = f"/referral-programs/{shop['program_id']}/referrals/{shop['referral_id']}"
    friend = {"customer_id": merchant.api.data("GET", path)["referred_customer_id"]}
    merchant.api.data("POST", f"/loyalty-cards/{shop['card_id']}/enrollments", friend)
    page = manager.open(f"/dashboard/referral-programs/{shop['program_id']}")
    manager.send(page.form(f"/complete/{shop['milestone_id']}"))
    assert merchant.api.data("GET", path)["status"] == "completed"


def test_a_location_is_created_and_changed(manager: Any, merchant: Any) -> None:
    form = manager.open("/dashboard/locations/new").form()
    assert manager.send(form, name="Lakeside", time_zone="Nowhere/Land").status == 400
    manager.send(form, name="Lakeside", time_zone="America/Chicago")
    place = merchant.api.data("GET", "/partner-locations")[0]
    manager.send(manager.open(f"/dashboard/locations/{place['id']}/edit").form(), name="Lake", is_active=None)
    after = merchant.api.data("GET", f"/partner-locations/{place['id']}")
    assert (after["name"], after["time_zone"], after["is_active"]) == ("Lake", "America/Chicago", False)


def test_a_list_is_filtered_by_form_and_shows_whose_rows_they_are(manager: Any, shop: Any) -> None:
    card = f"/dashboard/loyalty-cards/{shop['card_id']}"
    for path, shown, filtered in [
        (f"{card}/transactions", "Alex Rivera", "?type=expire"),
        (f"{card}/members", "Alex Rivera", "?status=suspended"),
        (f"{card}/claims", "Alex Rivera", "?status=cancelled"),
        (f"/dashboard/stamp-cards/{shop['stamp_card_id']}", "Alex Rivera", "?status=revoked"),
        (f"/dashboard/stamp-cards/{shop['stamp_card_id']}/stamps", "Alex Rivera", "?type=reverse"),
        (f"/dashboard/vouchers/{shop['voucher_id']}", "Alex Rivera", "?status=rolled_back"),
        (f"/dashboard/referral-programs/{shop['program_id']}", "Alex Rivera", "?status=completed"),
        ("/dashboard/vouchers", "Alex voucher", "?search=zzz"),
    ]:
        assert shown in manager.open(path).text, path
        assert shown not in manager.open(path + filtered).text, path
    assert manager.open(f"{card}/transactions?from=yesterday").status == 400
