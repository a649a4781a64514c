from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def forty_two(call: Call) -> list[int]:
    """Ids of 42 customers, newest first."""
    ids = [
        call("POST", "/customers", {"email": f"c{n}@example.com", "name": f"Customer {n}"}).json["data"]["id"]
        for n in range(42)
    ]
    return ids[::-1]


def ids_of(response: Any) -> list[int]:
    return [customer["id"] for customer in response.json["data"]]


def test_pages_are_those_of_the_reference(call: Call, forty_two: list[int]) -> None:
    response = call("GET", "/customers?per_page=15")
    assert ids_of(response) == forty_two[:15]
    assert (
        response.json["meta"] | {"current_page": 1, "last_page": 3, "per_page": 15, "total": 42}
        == response.json["meta"]
    )
    base = "https://loyalty.test/api/v1/customers?per_page=15&"
    assert response.json["links"] == {
        "first": f"{base}page=1",
        "last": f"{base}page=3",
        "prev": None,
        "next": f"{base}page=2",
    }


def test_links_keep_the_callers_parameters_and_ignore_host(call: Call, forty_two: list[int]) -> None:
    response = call("GET", "/customers?search=customer&page=2", headers={"Host": "evil.example"})
    assert response.json["links"]["next"] == "https://loyalty.test/api/v1/customers?search=customer&page=3"


def test_past_the_last_page_is_empty(call: Call, forty_two: list[int]) -> None:
    for page in ("4", "999999999999999999"):
        response = call("GET", f"/customers?page={page}")
        assert (response.status_code, response.json["data"], response.json["links"]["next"]) == (200, [], None)


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=abc", "per_page=101", "per_page=0", "page=1.5", "page=1&cursor=", "cursor=abc", "cursor=e30"],
)
def test_a_page_that_cannot_be_is_refused(call: Call, query: str) -> None:
    response = call("GET", f"/customers?{query}")
    assert response.status_code == 400
    assert set(response.json["error"]["details"]) <= {"page", "per_page", "cursor"}


def test_a_cursor_walks_every_row_once_while_new_ones_arrive(call: Call, forty_two: list[int]) -> None:
    walked: list[int] = []
    query = "per_page=10&cursor="
    while query:
        response = call("GET", f"/customers?{query}")
        assert response.json["meta"] | {"current_page": None, "last_page": None, "total": None} == response.json["meta"]
        walked += ids_of(response)
        call("POST", "/customers", {"email": f"late{len(walked)}@example.com"})
        following = response.json["links"]["next"]
        query = following.partition("?")[2] if following else ""
    assert walked == forty_two


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("alex", ["alex"]),
        ("RIVERA", ["alex"]),
        ("example.com", ["zoe", "alex"]),
        ("5551234", ["alex"]),
        ("(555) 123", ["alex"]),
        ("zoë", ["zoe"]),
        ("Zoe\u0308", ["zoe"]),
        ("100%", ["zoe"]),
        ("%", ["zoe"]),
        ("_", []),
        ("nobody", []),
    ],
)
def test_search_is_a_literal_part_of_name_email_or_phone(call: Call, term: str, found: list[str]) -> None:
    people = {
        "alex": {"email": "alex@example.com", "name": "Alex Rivera", "phone": "+15551234567"},
        "zoe": {"email": "zoe@example.com", "name": "Zoë 100%"},
    }
    ids = {name: call("POST", "/customers", person).json["data"]["id"] for name, person in people.items()}
    response = call("GET", "/customers", query_string={"search": term})
    assert ids_of(response) == [ids[name] for name in found]
    assert response.json["meta"]["total"] == len(found)


def test_a_search_term_has_an_end(call: Call) -> None:
    assert call("GET", "/customers", query_string={"search": "x" * 101}).status_code == 400
