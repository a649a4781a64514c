"""Mails on their way out: written in the transaction of their cause, sent by ``loyalty-gateway mail``.

A row is deleted once its mail was taken, so a worker that is killed in between leaves it to the next: a mail may go out
twice, never not at all. What is due is found by state, and leased in a short transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from loyalty_gateway.models import Mail, Tenant, User

# Longer than a server may take for all its answers, so that a worker at work is not overtaken.
LEASE = timedelta(seconds=120)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5, 900
_GIVE_UP_AFTER = timedelta(days=3)


def to_user(connection: Connection, user_id: int, kind: str) -> None:
    connection.execute(insert(Mail), {"user_id": user_id, "kind": kind})


def to_address(connection: Connection, email: str, kind: str) -> None:
    """To whoever has this address, which may be nobody: that is found out later, so that it costs the same now."""
    connection.execute(insert(Mail), {"email": email, "kind": kind})


def to_owners(connection: Connection, tenant_id: int, kind: str, facts: Mapping[str, Any]) -> None:
    """To each active owner of the organization that the tenant is one of; ``facts`` get its ``mode``."""
    owners = (
        select(literal(kind), User.id, literal(facts, JSONB).concat(func.jsonb_build_object("mode", Tenant.mode)))
        .join(Tenant, Tenant.organization_id == User.organization_id)
        .where(Tenant.id == tenant_id, User.role == "owner", User.status == "active", User.deleted_at.is_(None))
    )
    connection.execute(insert(Mail).from_select(["kind", "user_id", "facts"], owners))


def lease(connection: Connection) -> RowMapping | None:
    """The mail that has been due for longest; nobody else gets it for ``LEASE``."""
    due = (
        select(Mail.id)
        .where(Mail.gave_up_at.is_(None), Mail.available_at <= func.now())
        .order_by(Mail.available_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("due")  # As a subquery of IN it could be run more than once, and lease more than one.
    )
    leased = (
        update(Mail)
        .where(Mail.id == due.c.id)
        .values(available_at=func.now() + LEASE, attempts=Mail.attempts + 1)
        .returning(Mail.__table__)
    )
    return connection.execute(leased).mappings().one_or_none()


def remove(connection: Connection, mail_id: int) -> None:
    connection.execute(delete(Mail).where(Mail.id == mail_id))


def postpone(connection: Connection, mail: RowMapping) -> timedelta | None:
    """Tries again after a pause that doubles up to a quarter of an hour, for three days; then ``None``: given up."""
    pause = timedelta(seconds=min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(mail["attempts"] - 1, 10)))
    patience = update(Mail).where(Mail.id == mail["id"], Mail.created_at > func.now() - _GIVE_UP_AFTER)
    if connection.execute(patience.values(available_at=func.now() + pause)).rowcount:
        return pause
    give_up(connection, mail["id"])
    return None


def give_up(connection: Connection, mail_id: int) -> None:
    """The row stays, for an operator to see, and can be made due again by hand."""
    connection.execute(update(Mail).where(Mail.id == mail_id).values(gave_up_at=func.now()))
