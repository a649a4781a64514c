"""``loyalty-customers work``: takes imports up at once and works them off, any number of these side by side."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine

from loyalty_common.database import Transaction, perform
from loyalty_common.errors import Unavailable
from loyalty_common.service_client import ServiceClient
from loyalty_customers.domain import import_batches, import_queue
from loyalty_customers.domain.import_queue import Taken
from loyalty_customers.domain.importing import Outcome

# Well within the lease, so that an answer that came can be written down.
_BALANCES_S = 10.0
_PATH = "/internal/opening-balances"
_log = structlog.get_logger()


def step(engine: Engine, programs: ServiceClient) -> bool:
    """One batch of the import that has waited longest; whether there was one."""
    with engine.begin() as connection:
        taken = import_queue.take(connection)
    if taken is None:
        return False
    try:
        outcome = _ask_for_balances(engine, programs, taken) if _has_balances_to_come(taken) else None
        perform(engine, taken.tenant_id, lambda tx: _go_on(tx, taken, outcome, at=datetime.now(UTC)))
    except Unavailable as unavailable:
        _log.warning("import_waits", import_id=taken.id, tenant_id=taken.tenant_id, error=unavailable.message)
        perform(engine, taken.tenant_id, lambda tx: _wait(tx, taken))
    return True


def _has_balances_to_come(taken: Taken) -> bool:
    return bool(taken.settled_through < taken.recorded_through)


def _go_on(tx: Transaction, taken: Taken, outcome: Outcome | None, *, at: datetime) -> None:
    if not import_queue.holds(tx, taken):
        return
    if outcome is not None:
        import_batches.settle(tx, taken, outcome, at=at)
    elif taken.status != "running":
        import_batches.sweep(tx, taken, at=at)
    elif taken.attempts > import_queue.MOST_ATTEMPTS:
        import_queue.give_up(tx, taken)
    else:
        import_batches.record_customers(tx, taken, at=at)


def _wait(tx: Transaction, taken: Taken) -> None:
    if import_queue.holds(tx, taken):
        import_queue.postpone(tx, taken)


def _ask_for_balances(engine: Engine, programs: ServiceClient, taken: Taken) -> Outcome:
    """What became of them; ``Unavailable`` while programs is away. Outside any transaction: a worker that is killed
    before the answer is written down leaves them to be asked for again."""
    asked, outcome = perform(engine, taken.tenant_id, lambda tx: import_batches.openings(tx, taken))
    if asked:
        body = {"import_id": taken.id, "organization_id": taken.organization_id, "balances": asked}
        answer = programs.post(_PATH, tenant_id=taken.tenant_id, body=body, timeout_s=_BALANCES_S)
        outcome.refused.update({refused["row"]: refused["details"] for refused in answer["refused"]})
        outcome.done.extend(balance["row"] for balance in asked if balance["row"] not in outcome.refused)
    return outcome
