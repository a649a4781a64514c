"""What redemptions and a merchant's changes of a voucher wait for. The first statement of either."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    union_all,
)

from loyalty_common.database import Rendered
from loyalty_vouchers.models import Voucher

_VOUCHERS = Voucher.__table__

IS_LIMITED = or_(_VOUCHERS.c.max_redemptions.is_not(None), _VOUCHERS.c.max_redemptions_per_customer.is_not(None))


def for_redeeming(is_named: ColumnElement[bool]) -> Rendered:
    """The voucher as (id, is_limited), locked for a redemption. No row if it was changed while we waited, or is none.

    A limited voucher's row is the lock of its redemptions: they come one after the other. Those of an unlimited one
    share a lock that only a change of the voucher waits for, never another till. Without it a till that found no
    limit could commit after one was set and after others had counted up to it.
    """
    found = and_(_VOUCHERS.c.tenant_id == bindparam("tenant_id"), is_named)
    limited = (
        select(_VOUCHERS.c.id, literal_column("true").label("is_limited"), cast(null(), Text).label("shared"))
        .where(found, IS_LIMITED)
        .with_for_update()
        .subquery("limited")
    )
    shared = cast(func.pg_advisory_xact_lock_shared(_VOUCHERS.c.id), Text)
    unlimited = select(_VOUCHERS.c.id, literal_column("false"), shared).where(found, not_(IS_LIMITED))
    return Rendered(select(union_all(select(limited), unlimited).subquery("held")))


# Voucher ids are unique over all tenants. Whoever has both locks has seen the last redemption under the old terms.
FOR_CHANGING = Rendered(
    select(_VOUCHERS.c.id, cast(func.pg_advisory_xact_lock(_VOUCHERS.c.id), Text).label("alone"))
    .where(_VOUCHERS.c.tenant_id == bindparam("tenant_id"), _VOUCHERS.c.id == bindparam("voucher_id"))
    .with_for_update()
)
