"""What the gateway answers by itself, without a key."""

import json
import subprocess
import sys


def test_the_document_is_for_everybody(gateway, upstream):
    answer = gateway.ask("GET", "/api/v1/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["servers"] == [{"url": "https://api.example.com/api/v1"}]
    assert answer.json["paths"].keys() >= {"/loyalty-cards", "/customers/{customer_id}"}
    assert "/events" not in answer.json["paths"]
    assert upstream.received == []


def test_it_says_that_it_lives_and_that_it_is_ready(gateway):
    assert gateway.ask("GET", "/livez").json == {"status": "ok"}
    assert gateway.ask("GET", "/readyz").json == {"status": "ok", "dependencies": {"database": "ok"}}
    assert gateway.ask("POST", "/livez").status == 405


def test_it_refuses_to_start_without_its_settings_and_names_them_all(environment):
    done = subprocess.run(
        [sys.executable, "-m", "loyalty_gateway", "serve"],
        env={**environment, "KEY_PEPPERS": "{}", "PROGRAMS_URL": "programs:80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    for name in (
        "PUBLIC_BASE_URL",
        "OPENAPI_DIR",
        "KEY_PEPPERS",
        "PROGRAMS_URL",
        "VOUCHERS_URL",
        "IDENTITY_PRIVATE_KEY",
    ):
        assert name in done.stderr


def test_every_line_that_it_writes_is_json(start_gateway, upstream, demo_key):
    gateway = start_gateway(PROGRAMS_URL=upstream.url)
    gateway.ask("GET", "/api/v1/loyalty-cards", key=demo_key)
    gateway.ask("GET", "/livez")
    gateway.say(b"nonsense\r\n\r\n")
    lines = [json.loads(line) for line in gateway.log().splitlines()]
    assert {"request", "request_unreadable"} <= {line["event"] for line in lines}
    assert {line["service"] for line in lines} == {"gateway"}
