from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Club = Callable[..., int]


@pytest.fixture
def path(alex: int, coffee_club: Club) -> str:
    return f"/stamp-cards/{coffee_club()}"


@pytest.fixture
def buy(call: Call, path: str, alex: int) -> Callable[..., list[dict[str, Any]]]:
    def buy(quantity: int, **more: Any) -> list[dict[str, Any]]:
        answer = call("POST", f"{path}/stamps", {"customer_id": alex, "quantity": quantity, **more})
        assert answer.status_code == 201
        rows: list[dict[str, Any]] = answer.json["data"]
        return rows

    return buy


Buy = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def stamp_books_balance(rows: Callable[[str], Any]) -> Callable[[], None]:
    """Of every membership: balance = sum of deltas = last balance after, never below zero; every row was told once."""

    def check() -> None:
        for found in rows(
            "select m.stamps_balance, sum(t.stamps_delta) as total,"
            " (array_agg(t.stamps_balance_after order by t.id desc))[1] as last"
            " from stamp_memberships m join stamp_transactions t on t.tenant_id = m.tenant_id"
            " and t.stamp_membership_id = m.id where m.tenant_id = :tenant_id group by m.id, m.stamps_balance"
        ):
            assert found.stamps_balance == found.total == found.last >= 0
        told = rows(
            "select (row ->> 'id')::bigint as id from outbox,"
            " json_array_elements(coalesce(payload::json -> 'stamps', payload::json -> 'stamp_transactions')) row"
            " where tenant_id = :tenant_id and event in ('stamp.issued', 'customer.updated')"
        )
        written = rows("select id from stamp_transactions where tenant_id = :tenant_id")
        assert sorted(row.id for row in told) == sorted(row.id for row in written)

    return check


def test_stamps_are_taken_back_and_the_reward_with_them(
    call: Call,
    path: str,
    buy: Buy,
    alex: int,
    events: Callable[[], Any],
    stamp_books_balance: Callable[[], None],
) -> None:
    buy(9)
    earn, reward = buy(3, reference="POS-88439", amount=16.50, currency="USD")
    answer = call("POST", f"{path}/stamps/{earn['id']}/reverse", {"reference": "REF-2", "notes": "Returned"})
    taken, given_back = answer.json["data"]
    assert answer.status_code == 201
    assert taken == {
        **earn,
        "id": taken["id"],
        "type": "reverse",
        "stamps_delta": -3,
        "stamps_balance_after": -1,
        "purchase_reference": "REF-2",
        "occurred_at": taken["recorded_at"],
        "recorded_at": taken["recorded_at"],
        "notes": "Returned",
        "reverses_stamp_id": earn["id"],
    }
    assert given_back == {
        **taken,
        "id": given_back["id"],
        "stamps_delta": 10,
        "stamps_balance_after": 9,
        "notes": None,
        "quantity": None,
        "amount": None,
        "currency": None,
        "stamp_reward_id": reward["stamp_reward_id"],
        "reverses_stamp_id": reward["id"],
    }
    [revoked] = call("GET", f"{path}/rewards").json["data"]
    assert (revoked["status"], revoked["revoked_at"]) == ("revoked", taken["recorded_at"])
    name, data = events()[-1]
    assert (name, data["changed"], data["stamp_transactions"]) == (
        "customer.updated",
        ["stamps_balance"],
        [taken, given_back],
    )
    assert (data["id"], data["enrollment"], data["transaction"]) == (alex, None, None)
    stamp_books_balance()


def test_stamps_are_taken_back_once(call: Call, path: str, buy: Buy, events: Callable[[], Any]) -> None:
    [earn] = buy(2)
    reverse = f"{path}/stamps/{earn['id']}/reverse"
    first = call("POST", reverse)
    again = call("POST", reverse)
    assert (first.status_code, len(first.json["data"])) == (201, 1)
    assert (again.status_code, again.json["error"]["reason"]) == (400, "already_reversed")
    assert len(events()) == 2


def test_the_same_reference_takes_back_once_and_nothing_else(
    call: Call, path: str, buy: Buy, events: Callable[[], Any]
) -> None:
    [one], [other] = buy(2), buy(3)
    first = call("POST", f"{path}/stamps/{one['id']}/reverse", {"reference": "REF-1"})
    again = call("POST", f"{path}/stamps/{one['id']}/reverse", {"reference": "REF-1"})
    assert (again.status_code, again.json["data"], again.json["meta"]["duplicate"]) == (200, first.json["data"], True)
    refused = call("POST", f"{path}/stamps/{other['id']}/reverse", {"reference": "REF-1"})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "duplicate_reference")
    assert len(events()) == 3


def test_only_purchases_can_be_taken_back(call: Call, path: str, buy: Buy) -> None:
    earn, reward = buy(10)
    taken, given_back = call("POST", f"{path}/stamps/{earn['id']}/reverse").json["data"]
    for row in (reward, taken, given_back):
        refused = call("POST", f"{path}/stamps/{row['id']}/reverse")
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "not_reversible")


def test_stamps_whose_reward_was_handed_out_stay(
    call: Call, path: str, buy: Buy, stamp_books_balance: Callable[[], None]
) -> None:
    [early] = buy(9)
    earn, reward = buy(1)
    call("POST", f"{path}/rewards/{reward['stamp_reward_id']}/fulfill")
    for row in (early, earn):
        refused = call("POST", f"{path}/stamps/{row['id']}/reverse")
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "not_reversible")
    # Later stamps make up for the early ones, but not for those that unlocked what was handed out.
    buy(9)
    assert call("POST", f"{path}/stamps/{earn['id']}/reverse").json["error"]["reason"] == "not_reversible"
    assert call("POST", f"{path}/stamps/{early['id']}/reverse").json["data"][0]["stamps_balance_after"] == 0
    stamp_books_balance()


def test_of_several_rewards_those_of_the_purchase_itself_go_first(
    call: Call, path: str, buy: Buy, stamp_books_balance: Callable[[], None]
) -> None:
    first, second, third = (buy(10) for _ in range(3))
    rows = call("POST", f"{path}/stamps/{second[0]['id']}/reverse").json["data"]
    assert rows[1]["stamp_reward_id"] == second[1]["stamp_reward_id"]
    unlocked = [reward["id"] for reward in call("GET", f"{path}/rewards?status=unlocked").json["data"]]
    assert unlocked == [third[1]["stamp_reward_id"], first[1]["stamp_reward_id"]]
    stamp_books_balance()


def test_a_reward_gives_back_what_it_took_whatever_the_card_asks_for_now(call: Call, path: str, buy: Buy) -> None:
    earn, _ = buy(12)
    call("PATCH", path, {"stamps_required_for_reward": 5})
    rows = call("POST", f"{path}/stamps/{earn['id']}/reverse").json["data"]
    assert [(row["stamps_delta"], row["stamps_balance_after"]) for row in rows] == [(-12, -10), (10, 0)]


def test_a_receipt_whose_stamps_were_taken_back_says_so_and_stamps_no_more(call: Call, path: str, buy: Buy) -> None:
    rows = buy(2, reference="POS-1")
    call("POST", f"{path}/stamps/{rows[0]['id']}/reverse")
    again = call("POST", f"{path}/stamps", {"customer_id": 1042, "quantity": 2, "reference": "POS-1"})
    assert (again.status_code, again.json["data"]) == (200, rows)
    assert (again.json["meta"]["duplicate"], again.json["meta"]["reversed"]) == (True, True)


def test_stamps_of_an_inactive_card_can_be_taken_back(call: Call, path: str, buy: Buy) -> None:
    [earn] = buy(2)
    call("PATCH", path, {"is_active": False})
    assert call("POST", f"{path}/stamps/{earn['id']}/reverse", {}).status_code == 201


def test_stamps_that_are_not_the_cards_or_not_ones_own_are_not_found(
    call: Call, path: str, buy: Buy, coffee_club: Club, tenant_id: int
) -> None:
    [earn] = buy(2)
    for wrong in (f"{path}/stamps/999999", f"/stamp-cards/{coffee_club()}/stamps/{earn['id']}"):
        assert call("GET", wrong).status_code == 404
        assert call("POST", f"{wrong}/reverse").status_code == 404
        assert call("POST", f"{wrong}/reverse", {"notes": 5}).status_code == 404
    assert call("POST", f"{path}/stamps/{earn['id']}/reverse", tenant=tenant_id + 100_000).status_code == 404
