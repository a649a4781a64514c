"""The account commands, as an operator types them."""

import io
import json
import os
import sys
from dataclasses import dataclass

import argon2
import pytest
from sqlalchemy import text

from loyalty_gateway.__main__ import main

RIVERSIDE = ("--name", "Riverside Coffee", "--plan", "business", "--currency", "usd", "--country", "US")


@dataclass
class Done:
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def command(environment, monkeypatch, capsys):
    """``command("organizations", "list")`` is ``loyalty-gateway organizations list``."""

    def run(*arguments, stdin=""):
        monkeypatch.setattr(sys, "argv", ["loyalty-gateway", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        monkeypatch.setattr(os, "environ", environment)
        try:
            main()
        except SystemExit as end:
            return Done(1, capsys.readouterr().out, str(end.code))
        return Done(0, *capsys.readouterr())

    return run


@pytest.fixture
def created(command):
    """``created("organizations", …)``: the JSON object that ``create`` printed."""

    def run(group, *arguments, stdin=""):
        done = command(group, "create", *map(str, arguments), stdin=stdin)
        assert done.code == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def riverside(created):
    return created("organizations", *RIVERSIDE, "--time-zone", "America/New_York")


def test_an_organization_comes_with_its_two_tenants(command, riverside):
    assert riverside["tenants"].keys() == {"live", "test"}
    assert (riverside["plan"], riverside["currency"], riverside["status"]) == ("business", "USD", "active")
    listed = json.loads(command("organizations", "list").stdout)["organizations"]
    assert riverside in listed


def test_a_key_is_shown_once_and_opens_the_door_of_its_mode(command, created, engine, riverside):
    key = created("keys", "--organization", riverside["id"], "--name", "Till 1", "--mode", "test")
    assert key["key"].startswith("lpk_test_")
    assert key["key_hint"] == f"{key['key'][:20]}…{key['key'][-4:]}"
    assert "keys:write" in key["scopes"]
    with engine.connect() as connection:
        row = connection.execute(text("select * from api_keys where id = :id"), {"id": key["id"]}).mappings().one()
    assert key["key"] not in str(dict(row))
    assert (row["mode"], row["organization_id"], row["pepper_version"]) == ("test", riverside["id"], 1)


def test_scopes_can_be_chosen(created, riverside):
    arguments = ("--organization", riverside["id"], "--name", "Till 1", "--mode", "live")
    key = created("keys", *arguments, "--scopes", "programs:write, customers:read")
    assert key["scopes"] == ["customers:read", "programs:write"]


def test_a_revoked_key_keeps_its_first_moment(command, created, riverside):
    key = created("keys", "--organization", riverside["id"], "--name", "Till 1", "--mode", "live")
    first = json.loads(command("keys", "revoke", "--id", str(key["id"])).stdout)
    assert (first["status"], "key" in first) == ("revoked", False)
    assert json.loads(command("keys", "revoke", "--id", str(key["id"])).stdout) == first


def test_an_organization_is_suspended_and_resumed(command, riverside):
    for verb, status in (("suspend", "suspended"), ("suspend", "suspended"), ("resume", "active")):
        done = command("organizations", verb, "--id", str(riverside["id"]))
        assert json.loads(done.stdout)["status"] == status
    assert command("organizations", "suspend", "--id", "99999").stderr == "There is no organization 99999."


def test_what_an_operator_does_stands_in_the_audit_log(command, created, engine, riverside):
    of = {"organization_id": riverside["id"]}
    key = created("keys", "--organization", riverside["id"], "--name", "Till 1", "--mode", "live")
    command("keys", "revoke", "--id", str(key["id"]))
    command("organizations", "suspend", "--id", str(riverside["id"]))
    with engine.connect() as connection:
        told = text(
            "select action, actor_type, actor_name, subject_name, changes->'status' as status from audit_entries"
            " where organization_id = :organization_id order by id"
        )
        rows = [tuple(row) for row in connection.execute(told, of)]
    assert rows == [
        ("organization.created", "system", "Operator", "Riverside Coffee", [None, "active"]),
        ("api_key.created", "system", "Operator", "Till 1", [None, "active"]),
        ("api_key.revoked", "system", "Operator", "Till 1", ["active", "revoked"]),
        ("organization.suspended", "system", "Operator", "Riverside Coffee", ["active", "suspended"]),
    ]
    assert command("keys", "revoke", "--id", "99999").stderr == "There is no API key 99999."


def test_a_location_and_its_event_are_written_together(created, engine, riverside):
    location = created("locations", "--organization", riverside["id"], "--name", "Harbour", "--time-zone", "Asia/Tokyo")
    with engine.connect() as connection:
        rows = connection.execute(
            text("select * from outbox where tenant_id = :id"), {"id": riverside["tenants"]["live"]}
        ).mappings()
        (row,) = rows
    assert (row["event"], row["version"]) == ("internal.location_updated", 1)
    assert json.loads(row["payload"]) == location
    assert (location["organization_id"], location["is_active"]) == (riverside["id"], True)


def test_a_user_gets_a_password_that_is_kept_as_a_hash(created, engine, riverside):
    arguments = ("--organization", riverside["id"], "--name", "Robin Owner", "--role", "owner", "--email")
    user = created("users", *arguments, f"Robin{riverside['id']}@example.com")
    with engine.connect() as connection:
        kept = connection.execute(text("select password_hash from users where id = :id"), {"id": user["id"]}).scalar()
    assert kept.startswith("$argon2id$")
    assert argon2.PasswordHasher().verify(kept, user["password"])
    chosen = created(
        "users", *arguments, f"sam{riverside['id']}@example.com", "--password-stdin", stdin="long enough 12\n"
    )
    assert "password" not in chosen


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("organizations", *RIVERSIDE[:3], "gold", *RIVERSIDE[4:], "--time-zone", "UTC"), "The plan must be one of"),
        (("organizations", *RIVERSIDE, "--time-zone", "New York"), "The time zone must be an IANA name"),
        (("organizations", *RIVERSIDE[:5], "$", *RIVERSIDE[6:], "--time-zone", "UTC"), "The currency must be a code"),
        (
            ("locations", "--organization", "99999", "--name", "x", "--time-zone", "UTC"),
            "There is no organization 99999",
        ),
        (("keys", "--organization", "99999", "--name", "x", "--mode", "live"), "There is no organization 99999"),
        (("keys", "--organization", "1", "--name", "x", "--mode", "prod"), "The mode must be one of"),
        (("keys", "--organization", "1", "--name", "x", "--mode", "live", "--scopes", "a:b"), "Unknown scopes: a:b"),
        (
            ("users", "--organization", "1", "--name", "x", "--email", "x", "--role", "owner"),
            "must be an e-mail address",
        ),
        (
            ("users", "--organization", "1", "--name", "x", "--email", "x@y", "--role", "king"),
            "The role must be one of",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(command, new_organization, arguments, sentence):
    new_organization()
    group, *rest = arguments
    done = command(group, "create", *rest)
    assert (done.code, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_one_e_mail_address_is_one_user_whatever_its_case(command, created, riverside):
    arguments = ("--organization", str(riverside["id"]), "--name", "Kim", "--role", "staff", "--email")
    created("users", *arguments, f"kim{riverside['id']}@example.com")
    done = command("users", "create", *arguments, f"KIM{riverside['id']}@Example.com")
    assert (done.code, done.stderr) == (1, "There is a user with this e-mail address already.")
