"""What the reversal of a purchase's stamps is decided from: locked first, then loaded in one statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, exists, func, literal_column, not_, select
from sqlalchemy.types import BigInteger, Integer, Text

from loyalty_common.database import Rendered, Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, replay_columns, same_key, stored_reply
from loyalty_programs.domain import people
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.models import (
    idempotency,
    stamp_memberships,
    stamp_rewards,
    stamp_transaction_ids,
    stamp_transactions,
)

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CARD = bindparam("stamp_card_id", type_=BigInteger)
_START = select(literal_column("1").label("one")).subquery("start")
_stamp = stamp_transactions.alias("stamp")
_reversal = stamp_transactions.alias("reversal")
_earlier = stamp_transactions.alias("earlier")
_IS_STAMP = and_(
    _stamp.c.tenant_id == _TENANT,
    _stamp.c.stamp_card_id == _CARD,
    _stamp.c.id == bindparam("stamp_id", type_=BigInteger),
)
_ITS_MEMBERSHIP = and_(stamp_memberships.c.tenant_id == _TENANT, stamp_memberships.c.id == _stamp.c.stamp_membership_id)

_LOCK = Rendered(
    select(stamp_memberships.c.id)
    .select_from(_stamp.join(stamp_memberships, _ITS_MEMBERSHIP))
    .where(_IS_STAMP)
    .with_for_update(of=stamp_memberships)
)

# The rows of one request follow each other in a customer's ledger, the purchase at position 0 before its rewards.
_taking = stamp_transactions.alias("taking")
_other = stamp_transactions.alias("other")
_is_own = and_(
    _taking.c.id > _stamp.c.id,
    _taking.c.recorded_at == _stamp.c.recorded_at,
    not_(
        exists().where(
            _other.c.tenant_id == _TENANT,
            _other.c.stamp_membership_id == _stamp.c.stamp_membership_id,
            _other.c.recorded_at == _stamp.c.recorded_at,
            _other.c.id > _stamp.c.id,
            _other.c.id < _taking.c.id,
            _other.c.position == literal_column("0"),
        )
    ),
)
_rewards = (
    select(
        func.json_agg(
            func.json_build_object(
                literal_column("'reward_id'"),
                stamp_rewards.c.id,
                literal_column("'stamp_id'"),
                _taking.c.id,
                literal_column("'stamps'"),
                -_taking.c.stamps_delta,
                literal_column("'status'"),
                stamp_rewards.c.status,
                literal_column("'is_own'"),
                _is_own,
            )
        )
    )
    .select_from(
        _taking.join(
            stamp_rewards,
            and_(stamp_rewards.c.tenant_id == _TENANT, stamp_rewards.c.id == _taking.c.stamp_reward_id),
        )
    )
    .where(
        _taking.c.tenant_id == _TENANT,
        _taking.c.stamp_membership_id == _stamp.c.stamp_membership_id,
        _taking.c.type == literal_column("'reward'"),
    )
    .correlate(_stamp)
    .scalar_subquery()
)
_LOAD = Rendered(
    select(
        *replay_columns(idempotency),
        *people.COLUMNS,
        *_stamp.c,
        _reversal.c.id.label("reversal_id"),
        _earlier.c.id.label("earlier_id"),
        stamp_memberships.c.stamps_balance,
        stamp_memberships.c.version,
        _rewards.label("rewards"),
        # Drawn under the lock, so that ids order the ledger.
        stamp_transaction_ids.next_value().label("next_id"),
    ).select_from(
        _START.outerjoin(idempotency, same_key(idempotency))
        .outerjoin(_stamp, _IS_STAMP)
        .outerjoin(stamp_memberships, _ITS_MEMBERSHIP)
        .outerjoin(
            people.CUSTOMERS,
            and_(people.CUSTOMERS.c.tenant_id == _TENANT, people.CUSTOMERS.c.customer_id == _stamp.c.customer_id),
        )
        .outerjoin(_reversal, and_(_reversal.c.tenant_id == _TENANT, _reversal.c.reverses_stamp_id == _stamp.c.id))
        .outerjoin(
            _earlier,
            and_(
                _earlier.c.tenant_id == _TENANT,
                _earlier.c.stamp_card_id == _CARD,
                _earlier.c.operation == bindparam("operation", type_=Text),
                _earlier.c.reference == bindparam("reference", type_=Text),
                _earlier.c.position == literal_column("0"),
            ),
        )
    )
)
# How many rewards are revoked is only known after deciding.
_DRAW = select(stamp_transaction_ids.next_value()).select_from(
    func.generate_series(1, bindparam("count", type_=Integer)).table_valued("number")
)


def lock_and_load(tx: Transaction, *, stamp_card_id: int, stamp_id: int, receipt: Receipt, act: Act) -> Any | Reply:
    """The row that is to be reversed, with what there is beside it, or the reply that this request got before.

    ``reversal_id`` reversed it already, ``earlier_id`` has the receipt's reference, ``next_id`` is for the new row;
    ``rewards`` as ``unstamping.EarlierReward``. Raises ``NotFound`` for the card and the row.
    """
    named = {"stamp_card_id": stamp_card_id, "stamp_id": stamp_id}
    tx.run(_LOCK, named)
    [loaded] = tx.run(_LOAD, {**named, **receipt.parameters, **act.parameters})
    if loaded.id is None:
        raise NotFound
    return stored_reply(loaded, act.request) or loaded


def draw_ids(tx: Transaction, *, count: int) -> list[int]:
    return list(tx.execute(_DRAW, {"count": count}).scalars()) if count else []
