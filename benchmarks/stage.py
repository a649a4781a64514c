"""The suite as a benchmark finds it: running in a folder of its own, with a merchant and members."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.pace import NotMeasured
from loyalty_common.identity import GATEWAY, TokenSigner
from loyalty_local.demo import demo_of
from loyalty_local.postgres import Embedded
from loyalty_local.suite import Suite, forget
from loyalty_testing.integrator import Integrator
from loyalty_testing.machine import free_port

MEMBERS = 20_000

Connection = psycopg.Connection[Any]

# What 20,000 customers who were created and enrolled through the API leave in the database of programs.
_MEMBERS = """
    with someone as (select generate_series(1, %(members)s) as id),
         known as (insert into customer_directory (tenant_id, customer_id, email, version, profile)
             select %(tenant_id)s, id, 'c' || id || '@example.com', 1, jsonb_build_object(
                 'id', id, 'name', 'Customer ' || id, 'email', 'c' || id || '@example.com', 'phone', '+15555550123',
                 'external_id', null, 'metadata', '{}'::jsonb, 'created_at', '2026-05-16T10:00:00+00:00',
                 'updated_at', '2026-05-16T10:00:00+00:00')
             from someone)
    insert into enrollments (tenant_id, id, loyalty_card_id, customer_id, member_number, status, points_balance,
                             created_at, updated_at)
    select %(tenant_id)s, nextval('enrollment_ids'), %(card_id)s, id, 'M' || id, 'active', 0, now(), now() from someone
"""


@dataclass(frozen=True)
class Merchant:
    """``card_id`` earns 1 point per 10 USD; its members are c1@example.com to c20000@example.com."""

    tenant_id: int
    organization_id: int
    api_key: str
    card_id: int
    api: Integrator


@contextmanager
def suite_running(**options: Any) -> Iterator[Suite]:
    """As ``make run`` starts it but for the ``options`` of ``Suite``, ready; nothing is left of it after the block."""
    with tempfile.TemporaryDirectory(prefix="loyalty-bench-") as folder:
        directory = Path(folder, "var")
        try:
            with Suite(directory, port=free_port(), **options) as suite:
                suite.wait_ready()
                yield suite
        finally:
            forget(directory)


def stop_all_but(suite: Suite, *names: str) -> None:
    others = [process for name, process in suite.processes.items() if name not in names]
    with ThreadPoolExecutor(len(others)) as side_by_side:
        list(side_by_side.map(lambda process: process.stop(), others))


def merchant_of(suite: Suite) -> Merchant:
    demo = demo_of(suite)
    api = Integrator(suite.base_url, demo["LOYALTY_API_KEY"])
    card = {
        "name": "Insider Points",
        "partner_location_id": int(demo["LOYALTY_PARTNER_LOCATION_ID"]),
        "date_issued": "2026-01-01",
        "earn_spend_amount": 10,
        "earn_points": 1,
        "earn_currency": "USD",
        "is_active": True,
    }
    card_id = api.data("POST", "/loyalty-cards", card)["id"]
    with database(suite, "programs") as programs:
        row = programs.execute("select tenant_id from loyalty_cards where id = %s", [card_id]).fetchone()
        assert row is not None
        programs.execute(_MEMBERS, {"tenant_id": row[0], "card_id": card_id, "members": MEMBERS})
        programs.execute("vacuum analyze")
    merchant = Merchant(row[0], int(demo["LOYALTY_ORGANIZATION_ID"]), demo["LOYALTY_API_KEY"], card_id, api)
    credit(merchant, "first")  # After it nothing is cold: programs has asked for the card's location.
    return merchant


def credit(merchant: Merchant, reference: str) -> Any:
    """The reference's own purchase, by one of the members."""
    purchase = {"reference": reference, "amount": 24.50, "currency": "USD", "notes": "Counter sale"}
    path = f"/loyalty-cards/{merchant.card_id}/transactions"
    return merchant.api.data("POST", path, {"customer_email": "c1@example.com", **purchase})


def identity(suite: Suite, service: str, *, tenant_id: int, organization_id: int, scope: str) -> str:
    """The token that the gateway sends; to be minted for each run, since it lasts a minute."""
    claims = {
        "organization": {
            "id": organization_id,
            "currency": "USD",
            "country": "US",
            "time_zone": "America/New_York",
        },
        "actor": {"type": "api_key", "id": 1},
        "scopes": [scope],
        "plan": "demo",
    }
    return TokenSigner(GATEWAY, suite.layout.keys.private_keys[GATEWAY]).mint(
        service, tenant_id=tenant_id, claims=claims
    )


def subscribe(merchant: Merchant, url: str) -> None:
    """An endpoint for the event of a credit."""
    merchant.api.data("POST", "/webhook-endpoints", {"url": url, "events": ["loyalty.points_earned"]})


@contextmanager
def database(suite: Suite, service: str) -> Iterator[Connection]:
    """A service's own database, each statement a transaction."""
    with psycopg.connect(suite.layout.database_urls[service], autocommit=True) as connection:
        yield connection


def configure_postgres(suite: Suite, setting: str, value: str) -> None:
    """For all sessions at once, if the setting is one of those that need no restart."""
    with psycopg.connect(Embedded.of(suite.directory, suite.layout.keys).url, autocommit=True) as server:
        server.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(setting), sql.Literal(value)))
        server.execute("select pg_reload_conf()")


def count(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = 60, every_s: float = 0.02) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise NotMeasured(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(every_s)
