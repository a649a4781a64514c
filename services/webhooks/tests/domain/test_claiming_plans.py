"""Neither a claim nor its completion looks at what lies behind what it takes: also where the planner knows nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from loyalty_common import database
from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain import claiming, completing, lanes
from loyalty_webhooks.domain.limits import LaneKey
from loyalty_webhooks.domain.plans import prefer_indexes
from loyalty_webhooks.sender import figures
from loyalty_webhooks.settings import Settings

BACKLOG = 20_000
TAKEN = 32


@pytest.fixture
def connection(settings: Settings, engine: Engine) -> Iterator[Connection]:
    """A sender's own, in a transaction that nobody will know of."""
    own = database.create_engine(settings.database_url, pool_size=1, application_name="plans")
    prefer_indexes(own)
    with own.connect() as opened:
        yield opened
        opened.rollback()
    own.dispose()


@pytest.fixture
def backlog(
    connection: Connection, engine: Engine, call: Callable[..., Any], purchase: Callable[..., Message], tenant_id: int
) -> LaneKey:
    endpoint_id = call("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/"}).json["data"]["id"]
    handler(engine)([purchase()])
    connection.execute(
        text("""
            insert into delivery_queue (tenant_id, delivery_id, endpoint_id, event_id, event_created_at,
                                        attempt_count, next_attempt_at)
            select tenant_id, -number, endpoint_id, event_id, event_created_at, 0, next_attempt_at
              from delivery_queue, generate_series(1, :backlog) number where tenant_id = :tenant_id
        """),
        {"tenant_id": tenant_id, "backlog": BACKLOG},
    )
    return LaneKey(tenant_id, endpoint_id)


def pages(connection: Connection, statement: object, parameters: dict[str, Any]) -> int:
    """How many pages PostgreSQL looks at."""
    explained = text(f"explain (analyze, buffers, format json) {statement}")
    (plan,) = connection.execute(explained, parameters).scalar_one()
    plan = plan if isinstance(plan, dict) else json.loads(plan)
    looked_at: int = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return looked_at


def test_finding_lanes_passes_a_backlog_at_the_cost_of_a_row(connection: Connection, backlog: LaneKey) -> None:
    after = {"after_tenant_id": backlog.tenant_id, "after_endpoint_id": backlog.endpoint_id - 1, "lanes": 1}
    assert pages(connection, lanes.WITH_DUE_WORK, after) < 100


def test_loading_looks_at_what_can_be_taken(connection: Connection, backlog: LaneKey) -> None:
    parameters = {"tenant_ids": [backlog.tenant_id], "endpoint_ids": [backlog.endpoint_id], "deep": TAKEN}
    assert pages(connection, lanes.LOAD, parameters) < 200


def test_claiming_looks_at_what_it_takes(connection: Connection, backlog: LaneKey) -> None:
    parameters = {
        "tenant_ids": [backlog.tenant_id] * TAKEN,
        "delivery_ids": [-number for number in range(BACKLOG - TAKEN, BACKLOG)],
        "slots": ["swift"] * TAKEN,
        "claim_id": uuid4(),
        "lease_s": 30.0,
    }
    assert pages(connection, claiming.CLAIM, parameters) < 60 * TAKEN


@pytest.mark.parametrize("count", [700, BACKLOG])
def test_completing_finds_deliveries_by_their_keys(connection: Connection, tenant_id: int, count: int) -> None:
    # Nothing is leased, and of the next tenant nothing is known. The plan is kept while leases come and go.
    connection.execute(text("truncate delivery_queue"))
    connection.execute(
        text("""
            insert into delivery_queue (tenant_id, delivery_id, endpoint_id, event_id, event_created_at,
                                        attempt_count, next_attempt_at)
            select :tenant_id, number, 1, gen_random_uuid(), now(), 0, now() from generate_series(1, :count) number
        """),
        {"tenant_id": tenant_id, "count": count},
    )
    connection.execute(text("analyze delivery_queue"))
    outcome = {"tenant_id": tenant_id + 1, "delivery_id": 1, "claim_id": str(uuid4()), "status": "succeeded"}
    parameters = {"outcomes": json.dumps([outcome]), "lessons": "[]"}
    plan = "".join(connection.execute(text(f"explain {completing.COMPLETE}"), parameters).scalars())
    by_key = r"using pk_delivery_queue on delivery_queue [^>]*Index Cond: \(\(tenant_id = outcome"
    assert len(re.findall(by_key, plan)) == 2
    assert "ix_delivery_queue" not in plan


def test_a_scrape_reads_the_queue_once_and_not_key_by_key(connection: Connection, backlog: LaneKey) -> None:
    connection.execute(figures.AS_A_WHOLE)
    assert pages(connection, figures.LEFT, {}) < BACKLOG / 4
