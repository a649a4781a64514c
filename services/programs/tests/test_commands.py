"""The console commands, as processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_programs.settings import Settings
from loyalty_testing.keys import IdentityKeys

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = (sys.executable, "-m", "loyalty_programs")


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


@pytest.mark.parametrize("command", ["serve", "migrate", "relay", "consume", "work"])
def test_without_its_environment_nothing_starts(run: Run, command: str) -> None:
    process = run(command, env={"PATH": os.environ["PATH"]})
    assert process.returncode == 1
    assert "DATABASE_URL is not set" in process.stderr
    assert "GATEWAY_INTERNAL_URL is not set" in process.stderr


def test_migrating_what_is_migrated_is_no_error(run: Run) -> None:
    assert run("migrate").returncode == 0


def test_all_jobs_run_once_or_until_they_are_told_to_end(run: Run, environment: dict[str, str]) -> None:
    assert run("job", "all").returncode == 0
    repeated = [*COMMAND, "job", "all", "--every", "3600"]
    with subprocess.Popen(repeated, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "job_done" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_an_expiry_that_is_killed_is_finished_by_the_next(
    run: Run,
    environment: dict[str, str],
    call: Any,
    insider: Callable[..., int],
    engine: Engine,
    tenant_id: int,
    rows: Any,
) -> None:
    card = insider(initial_bonus_points=0)
    with engine.begin() as connection:
        for statement in MEMBERS_WITH_POINTS_OF_LAST_YEAR:
            connection.execute(text(statement), {"tenant_id": tenant_id, "card": card, "members": 1_500})
    with subprocess.Popen([*COMMAND, "job", "expire_points"], env=environment, stderr=subprocess.DEVNULL) as process:
        written = "select id from points_transactions where tenant_id = :tenant_id and type = 'expire'"
        while not rows(written) and process.poll() is None:
            pass
        process.kill()
    assert 0 < len(rows(written)) < 1_500
    assert run("job", "expire_points").returncode == 0
    assert len(rows(written)) == 1_500
    told = rows("select payload::json #>> '{transaction,id}' as id from outbox where tenant_id = :tenant_id")
    assert sorted(int(row.id) for row in told) == sorted(row.id for row in rows(written))
    assert rows("select 1 from enrollments where tenant_id = :tenant_id and points_balance <> 0") == []


MEMBERS_WITH_POINTS_OF_LAST_YEAR = (
    """
    insert into enrollments (tenant_id, id, loyalty_card_id, customer_id, member_number, status, points_balance,
                             created_at, updated_at)
    select :tenant_id, nextval('enrollment_ids'), :card, n, n, 'active', 5, now(), now()
    from generate_series(1, :members) n
    """,
    """
    insert into points_transactions (tenant_id, id, loyalty_card_id, enrollment_id, customer_id, type, points_delta,
                                     points_balance_after, points_remaining, expires_on, source, occurred_at,
                                     recorded_at)
    select tenant_id, nextval('points_transaction_ids'), loyalty_card_id, id, customer_id, 'bonus', 5, 5, 5,
           current_date - 365, 'api', now(), now()
    from enrollments where tenant_id = :tenant_id and loyalty_card_id = :card
    """,
)


def test_the_document_names_every_public_operation_and_how_to_route_it(run: Run) -> None:
    process = run("openapi", env={"PATH": os.environ["PATH"]})
    document = json.loads(process.stdout)
    assert document["openapi"] == "3.1.0"
    routed = {
        f"{method} {path.removeprefix('/v1')}": (operation["x-loyalty"]["scope"], operation["x-loyalty"]["class"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in ("get", "post", "patch")
    }
    reading, writing = ("programs:read", "read"), ("programs:write", "write")
    assert routed == {
        "get /exports/transactions.csv": ("customers:read", "files"),
        "get /loyalty-cards": reading,
        "post /loyalty-cards": writing,
        "get /loyalty-cards/{card_id}": reading,
        "patch /loyalty-cards/{card_id}": writing,
        "get /loyalty-cards/{card_id}/enrollments": reading,
        "post /loyalty-cards/{card_id}/enrollments": writing,
        "get /loyalty-cards/{card_id}/enrollments/{enrollment_id}": reading,
        "patch /loyalty-cards/{card_id}/enrollments/{enrollment_id}": writing,
        "get /loyalty-cards/{card_id}/rewards": reading,
        "post /loyalty-cards/{card_id}/rewards": writing,
        "get /loyalty-cards/{card_id}/rewards/{loyalty_reward_id}": reading,
        "patch /loyalty-cards/{card_id}/rewards/{loyalty_reward_id}": writing,
        "post /loyalty-cards/{card_id}/rewards/{loyalty_reward_id}/claim": writing,
        "get /loyalty-cards/{card_id}/claims": reading,
        "get /loyalty-cards/{card_id}/claims/{claim_id}": reading,
        "post /loyalty-cards/{card_id}/claims/{claim_id}/fulfill": writing,
        "post /loyalty-cards/{card_id}/claims/{claim_id}/cancel": writing,
        "get /loyalty-cards/{card_id}/transactions": reading,
        "post /loyalty-cards/{card_id}/transactions": writing,
        "post /loyalty-cards/{card_id}/transactions/preview": writing,
        "get /loyalty-cards/{card_id}/transactions/{transaction_id}": reading,
        "post /loyalty-cards/{card_id}/transactions/{transaction_id}/reverse": writing,
        "get /loyalty-cards/{card_id}/redemptions": reading,
        "post /loyalty-cards/{card_id}/redemptions": writing,
        "get /reconciliations": reading,
        "post /reconciliations": writing,
        "get /reconciliations/{reconciliation_id}": reading,
        "post /reconciliations/{reconciliation_id}/apply": writing,
        "get /reconciliations/{reconciliation_id}/entries": reading,
        "get /stamp-cards": reading,
        "post /stamp-cards": writing,
        "get /stamp-cards/{stamp_card_id}": reading,
        "patch /stamp-cards/{stamp_card_id}": writing,
        "get /stamp-cards/{stamp_card_id}/progress": reading,
        "get /stamp-cards/{stamp_card_id}/rewards": reading,
        "post /stamp-cards/{stamp_card_id}/rewards/{stamp_reward_id}/fulfill": writing,
        "get /stamp-cards/{stamp_card_id}/stamps": reading,
        "post /stamp-cards/{stamp_card_id}/stamps": writing,
        "get /stamp-cards/{stamp_card_id}/stamps/{stamp_id}": reading,
        "post /stamp-cards/{stamp_card_id}/stamps/{stamp_id}/reverse": writing,
        "get /referral-programs": reading,
        "post /referral-programs": writing,
        "get /referral-programs/{referral_program_id}": reading,
        "patch /referral-programs/{referral_program_id}": writing,
        "post /referral-programs/{referral_program_id}/codes": writing,
        "get /referral-programs/{referral_program_id}/referrals": reading,
        "post /referral-programs/{referral_program_id}/referrals": writing,
        "get /referral-programs/{referral_program_id}/referrals/{referral_id}": reading,
        "post /referral-programs/{referral_program_id}/referrals/{referral_id}/complete": writing,
    }
