"""Reconciliations that are too long for one request are applied here, a piece at a time; addresses in them expire."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Engine, case, func, select, update

from loyalty_common.directory import DirectoryFallback
from loyalty_programs.domain import reconciliations
from loyalty_programs.domain.applying import Work, apply_some
from loyalty_programs.models import reconciliation_entries
from loyalty_programs.models import reconciliations as table

_PIECE = 50
_ADDRESSES_LIVE = timedelta(days=30)
# Any of them: one whose customers cannot be asked for at the moment does not hold up the others.
_UNDER_WAY = select(table).where(table.c.status == "applying").order_by(func.random()).limit(1)


def worker(engine: Engine, fallback: DirectoryFallback) -> Callable[[], bool]:
    """A step for ``run_worker``. Nothing is claimed for longer than a transaction: any number may run, and die."""

    def step() -> bool:
        with engine.connect() as connection:
            row = connection.execute(_UNDER_WAY).one_or_none()
        if row is None:
            return False
        perform = partial(fallback.perform, row.tenant_id, row.organization_id)
        now = datetime.now(UTC)
        settled = apply_some(perform, Work.of(row), limit=_PIECE, at=now, choose=secrets.randbelow)
        finished = perform(lambda tx: reconciliations.finish(tx, reconciliation_id=row.id, at=now))
        return finished or settled > 0

    return step


def forget_addresses(engine: Engine) -> int:
    """E-mails of receipts that nobody applied for 30 days go, and with them the last that is known of whose those are.

    They are of people whom the directory did not know, so that an erasure cannot find them.
    """
    entry = reconciliation_entries.c
    nameless = case((entry.customer_id.is_(None), "customer_not_named"), else_=entry.error)
    statement = (
        update(reconciliation_entries)
        .where(entry.customer_email.is_not(None), entry.created_at < func.now() - _ADDRESSES_LIVE)
        .values(customer_email=None, error=nameless)
    )
    with engine.begin() as connection:
        return connection.execute(statement).rowcount
