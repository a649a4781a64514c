from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

Call = Callable[..., Any]
Club = Callable[..., int]


@pytest.fixture
def path(coffee_club: Club) -> str:
    return f"/stamp-cards/{coffee_club()}"


def test_the_ledger_of_a_stamp_card_is_listed_by_every_filter(
    call: Call, path: str, alex: int, knows: Callable[..., int]
) -> None:
    knows(1050, "sam@example.com")
    last_week = (datetime.now(UTC) - timedelta(days=7)).isoformat(timespec="seconds")
    old = {"customer_id": 1050, "reference": "POS-1", "occurred_at": last_week}
    [sams] = call("POST", f"{path}/stamps", old).json["data"]
    earn, reward = call("POST", f"{path}/stamps", {"customer_id": alex, "quantity": 10}).json["data"]
    [taken] = call("POST", f"{path}/stamps/{sams['id']}/reverse", {"reference": "POS-1"}).json["data"]

    def listed(query: str) -> list[Any]:
        answer = call("GET", f"{path}/stamps{query}")
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json["data"]
        return found

    assert listed("") == listed("?cursor=") == [taken, reward, earn, sams]
    assert listed(f"?customer_id={alex}") == listed("?customer_email=ALEX@example.com") == [reward, earn]
    assert listed("?reference=POS-1") == [taken, sams]
    assert listed("?type=earn") == [earn, sams]
    assert listed("?type=reverse&cursor=") == [taken]
    assert listed(f"?to={last_week[:10]}") == [sams]
    assert listed(f"?from={(datetime.now(UTC) - timedelta(days=2)).date()}") == [taken, reward, earn]
    assert listed("?customer_id=999") == listed("?reference=POS-2") == []
    assert call("GET", f"{path}/stamps/{earn['id']}").json["data"] == earn


@pytest.mark.parametrize("query", ["type=bonus", "from=yesterday", "customer_id=x", "page=0"])
def test_a_filter_that_cannot_be_meant_is_refused(call: Call, path: str, query: str) -> None:
    refused = call("GET", f"{path}/stamps?{query}")
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [query.split("=")[0]])
    assert call("GET", "/stamp-cards/999999/stamps").status_code == 404


def test_progress_counts_stamps_and_rewards(call: Call, path: str, alex: int) -> None:
    call("POST", f"{path}/stamps", {"customer_id": alex, "quantity": 24})
    reward = call("GET", f"{path}/rewards").json["data"][0]
    call("POST", f"{path}/rewards/{reward['id']}/fulfill")
    [earn] = call("GET", f"{path}/stamps?type=earn").json["data"]
    assert call("GET", f"{path}/progress?customer_id={alex}").json["data"] == {
        "customer_id": alex,
        "stamp_card_id": int(path.split("/")[-1]),
        "stamps_balance": 4,
        "stamps_required_for_reward": 10,
        "stamps_missing": 6,
        "rewards_unlocked": 1,
        "rewards_fulfilled": 1,
        "last_stamped_at": earn["occurred_at"],
    }


def test_who_was_never_stamped_is_at_the_beginning(call: Call, path: str, alex: int) -> None:
    answer = call("GET", f"{path}/progress?customer_email=alex@example.com")
    assert answer.status_code == 200
    data = answer.json["data"]
    assert (data["customer_id"], data["stamps_balance"], data["stamps_missing"]) == (alex, 0, 10)
    assert (data["rewards_unlocked"], data["rewards_fulfilled"], data["last_stamped_at"]) == (0, 0, None)


def test_progress_is_about_one_customer_of_ones_own(
    call: Call, path: str, alex: int, knows: Callable[..., int], tenant_id: int
) -> None:
    knows(1050, "sam@example.com")
    assert list(call("GET", f"{path}/progress").json["error"]["details"]) == ["customer_id"]
    differ = call("GET", f"{path}/progress?customer_id={alex}&customer_email=sam@example.com")
    assert (differ.status_code, list(differ.json["error"]["details"])) == (400, ["customer_email"])
    assert call("GET", f"/stamp-cards/999999/progress?customer_id={alex}").status_code == 404
    assert call("GET", f"{path}/progress?customer_id={alex}", tenant=tenant_id + 100_000).status_code == 404
