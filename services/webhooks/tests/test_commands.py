"""The console commands, as processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from loyalty_testing.postgres import Postgres

Run = Callable[..., subprocess.CompletedProcess[str]]
DOCUMENT = Path(__file__).parents[3] / "contracts/openapi/webhooks.json"


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "loyalty_webhooks", *arguments]
        usual = {"env": environment, "capture_output": True, "text": True, "check": False, "timeout": 60}
        return subprocess.run(command, **{**usual, **options})

    return process


@pytest.mark.parametrize("command", ["serve", "migrate", "consume", "deliver", "relay"])
def test_without_its_environment_nothing_starts(run: Run, command: str) -> None:
    process = run(command, env={"PATH": os.environ["PATH"]})
    assert process.returncode == 1
    assert "SECRET_KEYS is not set" in process.stderr


def test_a_network_that_is_none_is_refused_by_name(run: Run, environment: dict[str, str]) -> None:
    process = run("deliver", env=environment | {"WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8,loopback"})
    assert process.returncode == 1
    assert "WEBHOOKS_ALLOWED_NETWORKS must be a comma list of networks" in process.stderr
    assert "loopback" not in process.stderr


def test_migrating_an_empty_database_also_makes_todays_partitions(
    run: Run, environment: dict[str, str], postgres: Postgres
) -> None:
    url = postgres.create_database("fresh")
    for _ in range(2):
        process = run("migrate", env=environment | {"DATABASE_URL": url})
        assert process.returncode == 0, process.stderr
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from pg_inherits where inhdetachpending = false")).scalar() > 27
    engine.dispose()


def test_every_job_runs_once(run: Run, engine: Engine) -> None:
    process = run("job", "all")
    assert process.returncode == 0, process.stderr
    done = [json.loads(line)["job"] for line in process.stderr.splitlines()]
    assert done == [
        "make_partitions",
        "drop_old_events",
        "redact_erased",
        "reseal_secrets",
        "prune_inbox",
        "prune_idempotency",
    ]


def test_the_published_document_is_the_one_of_this_code(run: Run) -> None:
    process = run("openapi", env={"PATH": os.environ["PATH"]})
    assert json.loads(process.stdout) == json.loads(DOCUMENT.read_text()), "run make openapi"


def test_the_document_names_every_public_operation_and_how_to_route_it() -> None:
    routed = {
        (method, path): (operation["x-loyalty"]["scope"], operation["x-loyalty"]["class"])
        for path, operations in json.loads(DOCUMENT.read_text())["paths"].items()
        for method, operation in operations.items()
        if method in ("get", "post", "patch", "delete")
    }
    assert routed == {
        ("get", "/v1/webhook-endpoints"): ("webhooks:read", "read"),
        ("post", "/v1/webhook-endpoints"): ("webhooks:write", "write"),
        ("get", "/v1/webhook-endpoints/{endpoint_id}"): ("webhooks:read", "read"),
        ("patch", "/v1/webhook-endpoints/{endpoint_id}"): ("webhooks:write", "write"),
        ("delete", "/v1/webhook-endpoints/{endpoint_id}"): ("webhooks:write", "write"),
        ("post", "/v1/webhook-endpoints/{endpoint_id}/rotate-secret"): ("webhooks:write", "write"),
        ("post", "/v1/webhook-endpoints/{endpoint_id}/test"): ("webhooks:write", "write"),
        ("get", "/v1/webhook-endpoints/{endpoint_id}/stats"): ("webhooks:read", "read"),
        ("get", "/v1/webhook-deliveries"): ("webhooks:read", "read"),
        ("get", "/v1/webhook-deliveries/{delivery_id}"): ("webhooks:read", "read"),
        ("post", "/v1/webhook-deliveries/{delivery_id}/redeliver"): ("webhooks:write", "write"),
        ("get", "/v1/events"): ("webhooks:read", "read"),
        ("post", "/v1/webhook-endpoints/{endpoint_id}/replay"): ("webhooks:write", "write"),
        ("get", "/v1/webhook-replays/{replay_id}"): ("webhooks:read", "read"),
        ("post", "/v1/webhook-replays/{replay_id}/cancel"): ("webhooks:write", "write"),
    }
