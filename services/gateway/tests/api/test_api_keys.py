"""API keys over the API: what is made, shown, changed, and who may."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from loyalty_gateway.domain import keys
from loyalty_gateway.domain.key_rules import STATUSES
from loyalty_gateway.domain.scopes import ALL_SCOPES


def in_hours(hours):
    return (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0).isoformat()


def test_a_key_is_made_with_what_its_maker_has(call, key):
    answer = call("POST", "/api-keys", {"name": "Till 2"})
    assert answer.status_code == 201
    made = answer.json["data"]
    secret = made.pop("key")
    assert keys.kid_of(secret) is not None
    assert made == {
        "id": made["id"],
        "name": "Till 2",
        "mode": "live",
        "key_hint": f"{secret[:20]}…{secret[-4:]}",
        "scopes": list(ALL_SCOPES),
        "allowed_cidrs": [],
        "status": "active",
        "created_by": {"type": "api_key", "id": key["id"], "name": "Till 1"},
        "created_at": made["created_at"],
        "last_used_at": None,
        "expires_at": None,
        "revoked_at": None,
        "replaced_by_id": None,
    }
    assert call("GET", f"/api-keys/{made['id']}").json["data"] == made
    assert call("GET", "/api-keys").json["data"][0] == made


def test_what_is_chosen_comes_back(call):
    chosen = {
        "name": "Till 3",
        "mode": "test",
        "scopes": ["programs:write", "customers:read"],
        "allowed_cidrs": ["203.0.113.7", "2001:db8::/48", "203.0.113.7/32"],
        "expires_at": in_hours(1),
    }
    made = call("POST", "/api-keys", chosen).json["data"]
    assert made["key"].startswith("lpk_test_")
    assert {name: made[name] for name in chosen} == {
        **chosen,
        "scopes": ["customers:read", "programs:write"],
        "allowed_cidrs": ["203.0.113.7/32", "2001:db8::/48"],
    }
    assert made["status"] == "active"


def test_the_key_is_shown_once_and_kept_nowhere(call, engine):
    first = call("POST", "/api-keys", {"name": "Till 2"}, key="once")
    again = call("POST", "/api-keys", {"name": "Till 2"}, key="once")
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["data"] == {**first.json["data"], "key": None}
    with engine.connect() as connection:
        for table in ("api_keys", "audit_entries", "idempotency"):
            kept = connection.execute(text(f"select {table}::text from {table}")).scalars()
            assert not any(first.json["data"]["key"] in row for row in kept)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x", "mode": "prod"}, "mode"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": "keys:read"}, "scopes"),
        ({"name": "x", "scopes": ["keys:read", "keys:all"]}, "scopes.1"),
        ({"name": "x", "scopes": [{}]}, "scopes.0"),
        ({"name": "x", "allowed_cidrs": ["203.0.113.7/24"]}, "allowed_cidrs.0"),
        ({"name": "x", "allowed_cidrs": ["::/0", "fe80::1%eth0"]}, "allowed_cidrs.1"),
        ({"name": "x", "allowed_cidrs": [7]}, "allowed_cidrs.0"),
        ({"name": "x", "allowed_cidrs": ["::/0"] * 101}, "allowed_cidrs"),
        ({"name": "x", "expires_at": "2026-05-16T10:12:00+00:00"}, "expires_at"),
        ({"name": "x", "expires_at": "tomorrow"}, "expires_at"),
    ],
)
def test_what_makes_no_sense_is_named(call, body, field):
    if body.get("expires_at", "").startswith("2026"):
        body = {**body, "expires_at": in_hours(-1)}
    answer = call("POST", "/api-keys", body)
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [field]


def test_nobody_gives_a_key_more_than_he_has(call_as, new_key, key):
    of = {"organization_id": key["organization_id"]}
    clerk = call_as(new_key(**of, scopes=("keys:write", "customers:write")))
    assert clerk("POST", "/api-keys", {"name": "x"}).json["data"]["scopes"] == ["customers:write", "keys:write"]
    assert clerk("POST", "/api-keys", {"name": "x", "scopes": ["customers:read"]}).status_code == 201
    refused = clerk("POST", "/api-keys", {"name": "x", "scopes": ["customers:read", "vouchers:read"]})
    assert (refused.status_code, refused.json["error"]["reason"]) == (403, "insufficient_scope")
    assert list(refused.json["error"]["details"]) == ["scopes"]
    tester = call_as(new_key(**of, mode="test"))
    assert tester("POST", "/api-keys", {"name": "x"}).json["data"]["mode"] == "test"
    refused = tester("POST", "/api-keys", {"name": "x", "mode": "live"})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (403, ["mode"])


def test_who_has_less_than_a_key_can_end_it_but_neither_change_nor_replace_it(call_as, new_key, key):
    clerk = call_as(new_key(organization_id=key["organization_id"], scopes=("keys:write",)))
    path = f"/api-keys/{key['id']}"
    for method, target, body in (("PATCH", path, {"name": "mine"}), ("POST", f"{path}/rotate", None)):
        refused = clerk(method, target, body)
        assert (refused.status_code, refused.json["error"]["reason"]) == (403, "insufficient_scope")
    assert clerk("POST", f"{path}/revoke").json["data"]["status"] == "revoked"


def test_a_caller_of_the_test_mode_does_not_see_live_keys(call, call_as, new_key, key):
    test_key = new_key(organization_id=key["organization_id"], mode="test")
    tester = call_as(test_key)
    assert [row["id"] for row in tester("GET", "/api-keys").json["data"]] == [test_key["id"]]
    assert tester("GET", "/api-keys?mode=live").json["meta"]["total"] == 0
    for method, action in (("GET", ""), ("PATCH", ""), ("POST", "/rotate"), ("POST", "/revoke")):
        body = {"name": "mine"} if method == "PATCH" else None
        assert tester(method, f"/api-keys/{key['id']}{action}", body).status_code == 404
    assert [row["id"] for row in call("GET", "/api-keys?mode=test").json["data"]] == [test_key["id"]]
    assert call("GET", "/api-keys").json["meta"]["total"] == 2


def test_another_organizations_keys_do_not_exist(call, call_as, new_key, key):
    stranger = call_as(new_key())
    for method, action, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "mine"}),
        ("PATCH", "", {"name": None}),
        ("POST", "/rotate", {"overlap_hours": 999}),
        ("POST", "/revoke", None),
    ):
        assert stranger(method, f"/api-keys/{key['id']}{action}", body).status_code == 404
    assert stranger("GET", "/api-keys").json["meta"]["total"] == 1
    assert call("GET", f"/api-keys/{key['id']}").json["data"]["status"] == "active"


def test_a_key_changes_as_far_as_it_is_told(call):
    made = call("POST", "/api-keys", {"name": "a", "allowed_cidrs": ["::1"], "expires_at": in_hours(1)}).json["data"]
    path = f"/api-keys/{made['id']}"
    del made["key"]
    assert call("PATCH", path, {}).json["data"] == made
    assert call("PATCH", path, {"name": "b"}).json["data"] == {**made, "name": "b"}
    changed = {"scopes": ["customers:read"], "allowed_cidrs": None, "expires_at": None}
    expected = {**made, "name": "b", **changed, "allowed_cidrs": []}
    assert call("PATCH", path, changed).json["data"] == expected
    for wrong in ({"name": None}, {"scopes": None}, {"scopes": []}, {"expires_at": in_hours(-1)}):
        assert call("PATCH", path, wrong).status_code == 400
    assert call("GET", path).json["data"] == expected


def test_a_rotated_key_goes_on_until_the_overlap_is_over(call, key):
    own = {"name": "Kiosk", "allowed_cidrs": ["203.0.113.0/24"], "scopes": ["programs:read"]}
    old = call("POST", "/api-keys", own).json["data"]
    answer = call("POST", f"/api-keys/{old['id']}/rotate", {"overlap_hours": 24}, key="rotate")
    assert answer.status_code == 201
    new = answer.json["data"]
    assert new["key"] not in (None, old["key"])
    assert {name: new[name] for name in own} == own
    assert (new["status"], new["expires_at"]) == ("active", None)
    replaced = new["replaces"]
    assert (replaced["id"], replaced["status"], replaced["replaced_by_id"]) == (old["id"], "expiring", new["id"])
    ends_in = datetime.fromisoformat(replaced["expires_at"]) - datetime.fromisoformat(new["created_at"])
    assert ends_in == timedelta(hours=24)
    assert call("GET", f"/api-keys/{old['id']}").json["data"] == replaced
    assert call("POST", f"/api-keys/{old['id']}/rotate", {"overlap_hours": 24}, key="rotate").json["data"] == {
        **new,
        "key": None,
    }
    twice = call("POST", f"/api-keys/{old['id']}/rotate")
    assert (twice.status_code, "rotated before" in twice.json["error"]["message"]) == (400, True)
    later = call("PATCH", f"/api-keys/{old['id']}", {"expires_at": in_hours(48)})
    assert (later.status_code, list(later.json["error"]["details"])) == (400, ["expires_at"])
    assert call("PATCH", f"/api-keys/{old['id']}", {"expires_at": None}).status_code == 400
    assert call("PATCH", f"/api-keys/{old['id']}", {"expires_at": in_hours(1)}).json["data"]["status"] == "expiring"


def test_a_rotation_prolongs_no_key(call):
    old = call("POST", "/api-keys", {"name": "x", "expires_at": in_hours(2)}).json["data"]
    new = call("POST", f"/api-keys/{old['id']}/rotate").json["data"]
    assert new["expires_at"] == new["replaces"]["expires_at"] == old["expires_at"]


@pytest.mark.parametrize("overlap", [-1, 169, "a day", 1.5])
def test_an_overlap_is_a_week_at_most(call, key, overlap):
    answer = call("POST", f"/api-keys/{key['id']}/rotate", {"overlap_hours": overlap})
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, ["overlap_hours"])


def test_what_has_ended_stays_as_it_was(call, new_key, change, key):
    revoked = new_key(organization_id=key["organization_id"])
    expired = new_key(organization_id=key["organization_id"])
    first = call("POST", f"/api-keys/{revoked['id']}/revoke").json["data"]
    assert (first["status"], first["revoked_at"] is not None) == ("revoked", True)
    assert call("POST", f"/api-keys/{revoked['id']}/revoke").json["data"] == first
    rotated = call("POST", f"/api-keys/{expired['id']}/rotate", {"overlap_hours": 0}).json["data"]
    assert rotated["replaces"]["status"] == "expired"
    for ended, reason in ((revoked, "key_revoked"), (expired, "key_expired")):
        for method, action, body in (("PATCH", "", {"expires_at": None}), ("POST", "/rotate", None)):
            refused = call(method, f"/api-keys/{ended['id']}{action}", body)
            assert (refused.status_code, refused.json["error"]["reason"]) == (400, reason)


def test_lists_are_filtered_by_what_is_shown(call, new_key, change, key):
    of = {"organization_id": key["organization_id"]}
    overlaps = {"expiring": 1, "expired": 0}
    ids = {status: new_key(**of)["id"] for status in (*overlaps, "revoked")}
    successors = [
        call("POST", f"/api-keys/{ids[status]}/rotate", {"overlap_hours": hours}).json["data"]["id"]
        for status, hours in overlaps.items()
    ]
    call("POST", f"/api-keys/{ids['revoked']}/revoke")
    ids["active"] = [*reversed(successors), key["id"]]
    for status in STATUSES:
        listed = call("GET", f"/api-keys?status={status}").json["data"]
        assert {row["status"] for row in listed} == {status}
        expected = ids[status] if status == "active" else [ids[status]]
        assert [row["id"] for row in listed] == expected
    assert call("GET", "/api-keys?status=lost").status_code == 400
    page = call("GET", "/api-keys?status=active&per_page=2&cursor=").json
    following = page["links"]["next"].removeprefix("https://api.example.com/api/v1")
    assert [row["id"] for row in call("GET", following).json["data"]] == [key["id"]]
