from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from loyalty_common.pruning import prune


def test_only_what_is_older_is_forgotten(ledger: Any, rows_of: Any) -> None:
    now = datetime.now(UTC)
    ages = {"today": 0, "six days": 6, "eight days": 8, "a year": 365}
    reply = {"tenant_id": 1, "fingerprint": "", "status": 201, "body": "{}"}
    with ledger.engine.begin() as connection:
        rows = [{**reply, "key": key, "created_at": now - timedelta(days=days)} for key, days in ages.items()]
        connection.execute(insert(ledger.idempotency), rows)
    assert prune(ledger.engine, ledger.idempotency.c.created_at, days=7) == 2
    assert {row["key"] for row in rows_of(ledger.idempotency)} == {"today", "six days"}


def test_what_somebody_has_locked_is_left_for_the_next_time(ledger: Any, rows_of: Any) -> None:
    reply = {
        "tenant_id": 1,
        "fingerprint": "",
        "status": 201,
        "body": "{}",
        "created_at": datetime(2020, 1, 1, tzinfo=UTC),
    }
    with ledger.engine.begin() as connection:
        connection.execute(insert(ledger.idempotency), [{**reply, "key": key} for key in ("locked", "free")])
    with ledger.engine.begin() as other:
        other.exec_driver_sql("select 1 from idempotency where key = 'locked' for update")
        assert prune(ledger.engine, ledger.idempotency.c.created_at, days=7) == 1
    assert prune(ledger.engine, ledger.idempotency.c.created_at, days=7) == 1
