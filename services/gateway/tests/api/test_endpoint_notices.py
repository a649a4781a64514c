"""Owners are told by mail when a webhook endpoint was disabled, over whichever transport the gateway hears of it."""

import json
import subprocess
import sys
from uuid import uuid4

import pika
import pytest
from sqlalchemy import text

from loyalty_gateway.domain import letters, users


@pytest.fixture
def owners(engine, new_organization):
    """An organization with two active owners, and others who are not to be told."""
    organization = new_organization()
    who = [("owner", "active"), ("owner", "active"), ("owner", "disabled"), ("owner", "invited"), ("manager", "active")]
    with engine.begin() as connection:
        rows = [
            users.add(
                connection,
                organization_id=organization["id"],
                name=f"Owner {number}",
                email=f"owner{organization['id']}.{number}@example.com",
                role=role,
                status=status,
            )
            for number, (role, status) in enumerate(who)
        ]
    return organization, [row["id"] for row in rows[:2]]


def message(organization, mode="live", **changes):
    """What webhooks publishes, see ``contracts/internal/``."""
    return {
        "id": str(uuid4()),
        "event": "internal.endpoint_disabled",
        "publisher": "webhooks",
        "tenant_id": organization["tenants"][mode],
        "version": None,
        "created_at": "2026-05-16T12:00:00+00:00",
        "data": {
            "endpoint_id": 5,
            "host": "hooks.example.com",
            "reason": "gone",
            "disabled_at": "2026-05-16T12:00:00+00:00",
        },
        **changes,
    }


def told(engine, ids):
    with engine.connect() as connection:
        waiting = text("select * from mails where kind = 'endpoint_disabled' and user_id = any(:ids) order by user_id")
        return connection.execute(waiting, {"ids": ids}).mappings().all()


def test_each_active_owner_is_told_once(app, engine, identity_keys, owners):
    organization, ids = owners
    sent = message(organization, mode="test")
    token = identity_keys.signer("webhooks").mint("gateway")
    for _ in range(2):
        answer = app.test_client().post(
            "/internal/events", json={"messages": [sent]}, headers={"Authorization": f"Bearer {token}"}
        )
        assert (answer.status_code, answer.json["data"]) == (200, {"rejected": []})
    mails = told(engine, ids)
    assert [mail["user_id"] for mail in mails] == ids
    with engine.begin() as connection:
        letter = letters.write(connection, mails[0], dashboard_url="https://d.example.com", at=None)
        count = "select count(*) from mails m join users u on u.id = m.user_id where u.organization_id = :id"
        assert connection.execute(text(count), {"id": organization["id"]}).scalar_one() == 2
    assert letter.subject == "A webhook endpoint of Riverside Coffee was disabled"
    assert "endpoint 5 at hooks.example.com (test mode)" in letter.text
    assert "it answered 410 Gone" in letter.text
    assert "https://d.example.com/webhook-endpoints/5" in letter.text


def test_a_callers_identity_does_not_open_the_door_for_events(app, gateway_token):
    headers = {"Authorization": f"Bearer {gateway_token('gateway')}"}
    assert app.test_client().post("/internal/events", json={"messages": []}, headers=headers).status_code == 401


def test_a_consumer_hears_of_it_over_the_broker(environment, engine, owners, rabbitmq, until, tmp_path):
    organization, ids = owners
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "loyalty_gateway", "consume"],
            env={**environment, "EVENTS_URL": rabbitmq.url},
            stderr=log,
        )
    try:
        until(lambda: "consumer_connected" in (tmp_path / "log").read_text())
        with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
            body = json.dumps(message(organization)).encode()
            connection.channel().basic_publish("loyalty.events", "internal.endpoint_disabled", body)
        until(lambda: len(told(engine, ids)) == 2)
    finally:
        process.terminate()
        assert process.wait(20) == 0
