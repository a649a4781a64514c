from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from loyalty_programs.jobs import all_jobs

Call = Callable[..., Any]


def test_replies_are_forgotten_after_seven_days_and_not_before(
    call: Call, alex: int, insider: Callable[..., int], engine: Engine, tenant_id: int, rows: Callable[[str], Any]
) -> None:
    path = f"/loyalty-cards/{insider(auto_enroll=True)}/transactions"
    ages = {"old": timedelta(days=7, minutes=1), "young": timedelta(days=6, hours=23)}
    for key, age in ages.items():
        call("POST", path, {"customer_id": alex, "points": 5}, key=key)
        with engine.begin() as connection:
            made_older = text("update idempotency set created_at = :at where tenant_id = :tenant_id and key = :key")
            named = {"at": datetime.now(UTC) - age, "tenant_id": tenant_id, "key": f"client:{key}"}
            connection.execute(made_older, named)
    for job in all_jobs(engine).values():
        job()
    kept = rows("select key from idempotency where tenant_id = :tenant_id and key like 'client:%'")
    assert [row.key for row in kept] == ["client:young"]
