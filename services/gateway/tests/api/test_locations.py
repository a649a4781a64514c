"""Partner locations over the API."""

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from sqlalchemy import text

RIVERSIDE = {"name": "Riverside", "time_zone": "Europe/Paris"}


@pytest.fixture
def told(engine, key):
    """What the services were told of this organization's locations, oldest first."""

    def read():
        with engine.connect() as connection:
            rows = connection.execute(text("select payload, version from outbox order by version")).all()
        said = [(orjson.loads(row.payload), row.version) for row in rows]
        return [(data, version) for data, version in said if data["organization_id"] == key["organization_id"]]

    return read


def test_a_location_is_created_and_the_services_are_told(call, told, key):
    answer = call("POST", "/partner-locations", RIVERSIDE)
    assert answer.status_code == 201
    location = answer.json["data"]
    assert location == {
        "id": location["id"],
        **RIVERSIDE,
        "is_active": True,
        "created_at": location["created_at"],
        "updated_at": location["created_at"],
    }
    assert told() == [({**location, "organization_id": key["organization_id"]}, 1)]
    assert call("GET", f"/partner-locations/{location['id']}").json["data"] == location


def test_without_a_time_zone_it_has_its_organizations(call):
    assert call("POST", "/partner-locations", {"name": "Corner"}).json["data"]["time_zone"] == "America/New_York"


def test_a_location_made_twice_with_one_key_is_one(call, told):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: call("POST", "/partner-locations", RIVERSIDE, key="once"), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert len(told()) == 1
    assert call("POST", "/partner-locations", {"name": "Other"}, key="once").json["error"]["reason"] == (
        "idempotency_key_reused"
    )


def test_a_change_is_told_with_the_next_version_and_no_change_is_not(call, told):
    location_id = call("POST", "/partner-locations", RIVERSIDE).json["data"]["id"]
    moved = call("PATCH", f"/partner-locations/{location_id}", {"time_zone": "Asia/Tokyo", "name": "Riverside"})
    closed = call("PATCH", f"/partner-locations/{location_id}", {"is_active": False})
    same = call("PATCH", f"/partner-locations/{location_id}", {"is_active": False})
    empty = call("PATCH", f"/partner-locations/{location_id}", {})
    assert moved.json["data"]["time_zone"] == "Asia/Tokyo"
    assert [answer.status_code for answer in (closed, same, empty)] == [200] * 3
    assert same.json["data"] == empty.json["data"] == closed.json["data"]
    assert [(data["time_zone"], data["is_active"], version) for data, version in told()] == [
        ("Europe/Paris", True, 1),
        ("Asia/Tokyo", True, 2),
        ("Asia/Tokyo", False, 3),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x", "time_zone": "New York"}, "time_zone"),
        ({"name": "x" * 256}, "name"),
        ({"name": 5}, "name"),
    ],
)
def test_what_makes_no_sense_is_named(call, body, field):
    answer = call("POST", "/partner-locations", body)
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [field]


@pytest.mark.parametrize("body", [{"name": None}, {"time_zone": ""}, {"is_active": None}, {"is_active": "yes"}])
def test_a_change_cannot_take_away_what_every_location_has(call, body):
    location_id = call("POST", "/partner-locations", RIVERSIDE).json["data"]["id"]
    assert call("PATCH", f"/partner-locations/{location_id}", body).status_code == 400


def test_both_modes_see_the_same_and_another_organization_nothing(call, call_as, key, new_key):
    location_id = call("POST", "/partner-locations", RIVERSIDE).json["data"]["id"]
    test_mode = call_as(new_key(organization_id=key["organization_id"], mode="test"))
    stranger = call_as(new_key("business"))
    assert [row["id"] for row in test_mode("GET", "/partner-locations").json["data"]] == [location_id]
    assert stranger("GET", "/partner-locations").json["meta"]["total"] == 0
    for method, body in (("GET", None), ("PATCH", {"name": "mine"}), ("PATCH", {"name": None})):
        assert stranger(method, f"/partner-locations/{location_id}", body).status_code == 404


def test_lists_page_by_cursor(call):
    ids = [call("POST", "/partner-locations", {"name": name}).json["data"]["id"] for name in ("a", "b", "c")]
    seen, path = [], "/partner-locations?per_page=2&cursor="
    while path:
        page = call("GET", path).json
        seen += [row["id"] for row in page["data"]]
        path = (page["links"]["next"] or "").removeprefix("https://api.example.com/api/v1")
    assert seen == sorted(ids, reverse=True)
