"""The console commands, as processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_testing.keys import IdentityKeys
from loyalty_vouchers.settings import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = (sys.executable, "-m", "loyalty_vouchers")
_REPLY = text(
    "insert into idempotency (tenant_id, key, fingerprint, status, body, created_at)"
    " values (:tenant_id, :key, '', 201, '{}', :created_at)"
)


@pytest.fixture
def environment(settings: Settings, identity_keys: IdentityKeys) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "PUBLIC_BASE_URL": settings.public_base_url,
        "EVENTS_URL": settings.events_url,
        "CUSTOMERS_URL": settings.customers_url,
        "GATEWAY_INTERNAL_URL": settings.gateway_internal_url,
        "IDENTITY_PUBLIC_KEYS": identity_keys.public_keys_json,
        "IDENTITY_PRIVATE_KEY": settings.identity_private_key,
    }


@pytest.fixture
def run(environment: dict[str, str], engine: Engine) -> Run:
    def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            **{"env": environment, "capture_output": True, "text": True, "check": False, "timeout": 60, **options},
        )

    return process


def test_without_its_environment_nothing_starts(run: Run) -> None:
    process = run("serve", env={"PATH": os.environ["PATH"]})
    assert process.returncode == 1
    assert "DATABASE_URL is not set" in process.stderr


def test_migrating_what_is_migrated_is_no_error(run: Run) -> None:
    assert run("migrate").returncode == 0


def test_the_job_forgets_replies_that_no_retry_asks_for(run: Run, engine: Engine, tenant_id: int) -> None:
    now = datetime.now(UTC)
    ages = {"seven days ago": timedelta(days=7, minutes=1), "within the week": timedelta(days=6, hours=23)}
    with engine.begin() as connection:
        for key, age in ages.items():
            connection.execute(_REPLY, {"tenant_id": tenant_id, "key": key, "created_at": now - age})
    process = run("job", "all")
    assert process.returncode == 0, process.stderr
    with engine.connect() as connection:
        kept = connection.execute(
            text("select key from idempotency where tenant_id = :tenant_id"), {"tenant_id": tenant_id}
        )
        assert list(kept.scalars()) == ["within the week"]


def test_a_repeated_job_ends_when_it_is_told_to(environment: dict[str, str], engine: Engine) -> None:
    with subprocess.Popen(
        [*COMMAND, "job", "all", "--every", "3600"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "job_done" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_the_document_names_every_public_operation_and_how_to_route_it(run: Run) -> None:
    process = run("openapi", env={"PATH": os.environ["PATH"]})
    paths = json.loads(process.stdout)["paths"]
    routed = {
        (method, path): (operation["x-loyalty"]["scope"], operation["x-loyalty"]["class"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "x-loyalty" in operation
    }
    read, write = ("vouchers:read", "read"), ("vouchers:write", "write")
    # Asking writes nothing, though it is a POST.
    asked = ("vouchers:read", "write")
    assert routed == {
        ("get", "/v1/vouchers"): read,
        ("post", "/v1/vouchers"): write,
        ("get", "/v1/vouchers/{voucher_id}"): read,
        ("patch", "/v1/vouchers/{voucher_id}"): write,
        ("post", "/v1/vouchers/redeem"): write,
        ("post", "/v1/vouchers/{voucher_id}/redeem"): write,
        ("post", "/v1/vouchers/validate"): asked,
        ("post", "/v1/vouchers/{voucher_id}/validate"): asked,
        ("get", "/v1/vouchers/{voucher_id}/redemptions"): read,
        ("get", "/v1/vouchers/{voucher_id}/redemptions/{redemption_id}"): read,
        ("post", "/v1/vouchers/{voucher_id}/redemptions/{redemption_id}/rollback"): write,
        ("get", "/v1/voucher-batches"): read,
        ("post", "/v1/voucher-batches"): write,
        ("get", "/v1/voucher-batches/{voucher_batch_id}"): read,
        ("get", "/v1/voucher-batches/{voucher_batch_id}/codes.csv"): ("vouchers:read", "files"),
        ("get", "/v1/exports/redemptions.csv"): ("customers:read", "files"),
    }
