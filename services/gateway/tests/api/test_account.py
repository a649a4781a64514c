"""Who is calling, and the organization's own settings."""

import json

import pytest


def test_me_tells_organization_plan_mode_and_key(call, key):
    answer = call("GET", "/me").json["data"]
    organization = answer["organization"]
    assert answer == {
        "organization": {
            "id": key["organization_id"],
            "name": "Riverside Coffee",
            "currency": "USD",
            "country": "US",
            "time_zone": "America/New_York",
            "status": "active",
            "created_at": organization["created_at"],
        },
        "plan": {"code": "business", "name": "Business", "developer_access": True, "requests_per_minute": 3000},
        "mode": "live",
        "api_key": {"id": key["id"], "name": "Till 1", "scopes": key["scopes"]},
        "user": None,
    }
    assert call("GET", "/organization").json["data"] == organization


def test_the_mode_is_that_of_the_key(call_as, new_key):
    assert call_as(new_key(mode="test"))("GET", "/me").json["data"]["mode"] == "test"


def test_settings_change_as_far_as_they_are_sent(call):
    before = call("GET", "/organization").json["data"]
    changed = call("PATCH", "/organization", {"name": "Riverside Tea", "country": "ca", "colour": "green"})
    assert changed.json["data"] == {**before, "name": "Riverside Tea", "country": "CA"}
    assert changed.json["meta"]["warnings"][0]["field"] == "colour"
    assert call("GET", "/organization").json["data"] == changed.json["data"]


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"currency": "XXX"}, {"currency": None}, {"country": "USA"}, {"time_zone": "Mars/Olympus"}]
)
def test_settings_that_make_no_sense_change_nothing(call, body):
    before = call("GET", "/organization").json["data"]
    answer = call("PATCH", "/organization", {"name": "Other", **body})
    assert answer.status_code == 400
    assert call("GET", "/organization").json["data"] == before


def usage(upstream, **used):
    body = json.dumps({"data": used, "meta": {}}).encode()
    upstream.behave = lambda handler: upstream.reply(handler, 200, body)


def test_the_currency_changes_while_nothing_counts_in_it(call, upstream):
    usage(upstream, loyalty_cards=False)
    assert call("PATCH", "/organization", {"currency": "eur"}).json["data"]["currency"] == "EUR"
    asked = [received.path for received in upstream.received]
    assert asked == ["/internal/usage"] * 4  # of both services, for both tenants


def test_the_currency_stays_once_something_counts_in_it(call, upstream):
    usage(upstream, loyalty_cards=True)
    answer = call("PATCH", "/organization", {"currency": "EUR"})
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, ["currency"])
    assert call("PATCH", "/organization", {"currency": "USD", "name": "Same"}).status_code == 200


def test_the_currency_stays_while_a_service_does_not_say(call, upstream):
    upstream.behave = lambda handler: upstream.reply(handler, 500, b"{}")
    assert call("PATCH", "/organization", {"currency": "EUR"}).status_code == 503
    assert call("GET", "/organization").json["data"]["currency"] == "USD"
