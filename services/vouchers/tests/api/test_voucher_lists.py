"""GET /vouchers with its filters."""

from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def listed(call: Call) -> Callable[..., list[Any]]:
    def names(**filters: Any) -> list[Any]:
        answer = call("GET", "/vouchers", query_string=filters)
        assert answer.status_code == 200, answer.json
        return [voucher["name"] for voucher in answer.json["data"]]

    return names


def test_the_list_is_filtered_by_what_is_active_and_where(new_voucher: Call, locate: Call, listed: Call) -> None:
    locate(3)
    new_voucher(name="A")
    new_voucher(name="B", is_active=False)
    new_voucher(name="C", partner_location_id=3)
    assert listed() == ["C", "B", "A"]
    assert listed(is_active="true") == ["C", "A"]
    assert listed(is_active="false") == ["B"]
    assert listed(partner_location_id=3) == ["C"]
    assert listed(partner_location_id=2, is_active="true") == ["A"]
    assert listed(partner_location_id=99) == []


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("spring", ["Spring Savings", "100% off"]),
        ("SAVINGS", ["Spring Savings"]),
        ("20", ["Spring Savings"]),
        ("g_2", ["100% off"]),
        ("%", ["100% off"]),
        ("_", ["100% off"]),
        ("/", []),
        ("  ", ["100% off", "Spring Savings"]),
    ],
)
def test_a_search_is_for_a_literal_part_of_name_or_code_in_any_case(
    term: str, found: list[str], new_voucher: Call, listed: Call
) -> None:
    new_voucher(name="Spring Savings", voucher_code="S-20")
    new_voucher(name="100% off", voucher_code="SPRING_2")
    assert sorted(listed(search=term)) == sorted(found)


@pytest.mark.parametrize(
    "query", ["is_active=yes", "voucher_batch_id=x", "partner_location_id=0", "search=" + "x" * 101]
)
def test_a_wrong_filter_is_said(query: str, call: Call) -> None:
    answer = call("GET", f"/vouchers?{query}")
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [query.partition("=")[0]])
