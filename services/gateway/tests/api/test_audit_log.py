"""Who did what, as the audit log has it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text


@pytest.fixture
def log(call):
    """``log("action=api_key.revoked")``: the entries, newest first."""
    return lambda filters="": call("GET", f"/audit-log?per_page=100&{filters}").json["data"]


def test_a_revocation_is_told_in_full(call, log, key):
    made = call("POST", "/api-keys", {"name": "Till 2"}).json["data"]
    answer = call("POST", f"/api-keys/{made['id']}/revoke")
    entry = log()[0]
    assert entry == {
        "id": entry["id"],
        "action": "api_key.revoked",
        "actor": {"type": "api_key", "id": key["id"], "name": "Till 1"},
        "subject": {"type": "api_key", "id": made["id"], "name": "Till 2"},
        "changes": {"status": ["active", "revoked"]},
        "ip_address": "203.0.113.7",
        "request_id": answer.json["meta"]["request_id"],
        "created_at": answer.json["data"]["revoked_at"],
    }
    call("POST", f"/api-keys/{made['id']}/revoke")
    assert log()[0] == entry


def test_every_change_is_told_and_what_changes_nothing_is_not(call, log, key):
    made = call("POST", "/api-keys", {"name": "a", "scopes": ["keys:read"]}).json["data"]
    call("PATCH", f"/api-keys/{made['id']}", {"name": "b", "allowed_cidrs": ["203.0.113.0/24"]})
    call("PATCH", f"/api-keys/{made['id']}", {"name": "b", "allowed_cidrs": ["203.0.113.0/24"]})
    new = call("POST", f"/api-keys/{made['id']}/rotate").json["data"]
    location_id = call("POST", "/partner-locations", {"name": "Harbour"}).json["data"]["id"]
    call("PATCH", f"/partner-locations/{location_id}", {"is_active": False})
    call("PATCH", "/organization", {"name": "Riverside Tea"})
    call("PATCH", "/organization", {"name": "Riverside Tea"})
    told = [(entry["action"], entry["subject"]["id"], entry["changes"]) for entry in reversed(log())]
    made_of = {"mode": [None, "live"], "scopes": [None, ["keys:read"]], "status": [None, "active"]}
    networks = ["203.0.113.0/24"]
    assert told[2:] == [
        ("api_key.created", made["id"], {"name": [None, "a"], **made_of, "allowed_cidrs": [None, []]}),
        ("api_key.updated", made["id"], {"name": ["a", "b"], "allowed_cidrs": [[], networks]}),
        ("api_key.created", new["id"], {"name": [None, "b"], **made_of, "allowed_cidrs": [None, networks]}),
        (
            "api_key.rotated",
            made["id"],
            {
                "status": ["active", "expiring"],
                "expires_at": [None, new["replaces"]["expires_at"]],
                "replaced_by_id": [None, new["id"]],
            },
        ),
        (
            "partner_location.created",
            location_id,
            {"name": [None, "Harbour"], "time_zone": [None, "America/New_York"], "is_active": [None, True]},
        ),
        ("partner_location.updated", location_id, {"is_active": [True, False]}),
        ("organization.updated", key["organization_id"], {"name": ["Riverside Coffee", "Riverside Tea"]}),
    ]
    assert [action for action, *_ in told[:2]] == ["organization.created", "api_key.created"]
    assert log()[-1]["actor"] == {"type": "system", "id": None, "name": "Operator"}


def test_what_was_refused_or_repeated_is_told_once(call, log):
    call("POST", "/api-keys", {"name": "a", "expires_at": "2020-01-01T00:00:00Z"})
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: call("POST", "/api-keys", {"name": "a"}, key="once"), range(8)))
    assert [entry["subject"]["name"] for entry in log("action=api_key.created")] == ["a", "Till 1"]


def test_two_who_rotate_at_once_make_one_successor(call, log, key, engine):
    made = call("POST", "/api-keys", {"name": "a"}).json["data"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: call("POST", f"/api-keys/{made['id']}/rotate").status_code, range(8)))
    assert sorted(answers) == [201] + [400] * 7
    assert len(log("action=api_key.rotated")) == 1
    assert len(log("action=api_key.created")) == 3


def test_the_log_is_filtered_and_paged(call, log, key):
    for name in ("a", "b", "c"):
        call("POST", "/api-keys", {"name": name})
    assert [entry["subject"]["name"] for entry in log("actor_type=api_key")] == ["c", "b", "a"]
    assert {entry["action"] for entry in log("actor_type=system&action=api_key.created")} == {"api_key.created"}
    today = datetime.now(UTC)
    for first, last, count in (
        (today - timedelta(hours=1), today + timedelta(hours=1), 3),
        (today + timedelta(hours=1), today + timedelta(hours=2), 0),
        (today - timedelta(hours=2), today - timedelta(hours=1), 0),
    ):
        window = f"from={first:%Y-%m-%dT%H:%M:%SZ}&to={last:%Y-%m-%dT%H:%M:%SZ}"
        assert len(log(f"actor_type=api_key&{window}")) == count
    assert len(log(f"actor_type=api_key&from={today - timedelta(days=1):%Y-%m-%d}&to={today:%Y-%m-%d}")) == 3
    page = call("GET", "/audit-log?actor_type=api_key&per_page=2&cursor=").json
    following = call("GET", page["links"]["next"].removeprefix("https://api.example.com/api/v1")).json
    assert [entry["subject"]["name"] for entry in page["data"] + following["data"]] == ["c", "b", "a"]
    for wrong in ("actor_type=robot", "from=yesterday", "to=0001-01-01"):
        assert call("GET", f"/audit-log?{wrong}").status_code == 400


def test_another_organization_reads_nothing_and_the_other_mode_reads_the_same(call, call_as, log, new_key, key):
    test_key = new_key(organization_id=key["organization_id"], mode="test")
    assert call_as(test_key)("GET", "/audit-log?per_page=100").json["data"] == log()
    stranger = call_as(new_key())("GET", "/audit-log").json
    assert {entry["action"] for entry in stranger["data"]} == {"organization.created", "api_key.created"}
    assert stranger["meta"]["total"] == 2


def test_neither_the_change_nor_its_entry_is_kept_without_the_other(call, log, engine):
    before = len(log())
    with engine.begin() as connection:
        connection.execute(text("alter table audit_entries add constraint shut check (subject_name <> 'shut')"))
    try:
        assert call("POST", "/api-keys", {"name": "shut"}).status_code == 500
        assert call("GET", "/api-keys").json["meta"]["total"] == 1
        assert len(log()) == before
    finally:
        with engine.begin() as connection:
            connection.execute(text("alter table audit_entries drop constraint shut"))
