"""The enrollment row is the lock of its ledger: two purchases at once queue here.

Where a referral may pay two members both are locked, always by ascending id, so that nobody waits for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, any_, bindparam, literal_column, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.types import BigInteger

from loyalty_common.database import Rendered, Transaction
from loyalty_programs.domain import people
from loyalty_programs.models import enrollments, referrals

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CARD = bindparam("card_id", type_=BigInteger)
_START = select(literal_column("1").label("one")).subquery("start")

_ON_CARD = and_(enrollments.c.tenant_id == _TENANT, enrollments.c.loyalty_card_id == _CARD)
_OPEN_REFERRAL = and_(
    referrals.c.tenant_id == _TENANT,
    referrals.c.loyalty_card_id == _CARD,
    referrals.c.referred_customer_id == people.NAMED_ID,
    referrals.c.awaits_friend,
)
_MEMBER = Rendered(
    select(enrollments.c.id).where(_ON_CARD, enrollments.c.customer_id == people.NAMED_ID).with_for_update()
)
_MEMBER_AND_REFERRER = Rendered(
    select(enrollments.c.id, referrals.c.id.label("referral_id"))
    .select_from(
        _START.outerjoin(referrals, _OPEN_REFERRAL).join(
            enrollments,
            and_(
                _ON_CARD,
                enrollments.c.customer_id == any_(array([people.NAMED_ID, referrals.c.referrer_customer_id])),
            ),
        )
    )
    .order_by(enrollments.c.id)
    .with_for_update(of=enrollments)
)
_BOTH = Rendered(
    select(enrollments.c.id)
    .select_from(
        referrals.join(
            enrollments,
            and_(
                enrollments.c.tenant_id == _TENANT,
                enrollments.c.loyalty_card_id == referrals.c.loyalty_card_id,
                enrollments.c.customer_id
                == any_(array([referrals.c.referrer_customer_id, referrals.c.referred_customer_id])),
            ),
        )
    )
    .where(referrals.c.tenant_id == _TENANT, referrals.c.id == bindparam("referral_id", type_=BigInteger))
    .order_by(enrollments.c.id)
    .with_for_update(of=enrollments)
)


@dataclass(frozen=True, slots=True)
class Locked:
    """``enrollments``: the member's, if there is one, and the referrer's.

    ``referral_id``: the one that the member came by, if enrolling or buying could complete a milestone of it before
    the locks were had. A friend is referred before he is enrolled, so no later one can be missed by a member's lock.
    """

    enrollments: frozenset[int]
    referral_id: int | None = None


def lock_member(tx: Transaction, named: Mapping[str, Any], *, with_referrer: bool) -> Locked:
    """``named``: the card and the customer. ``with_referrer``: for what may complete a milestone, which pays both."""
    if not with_referrer:
        return Locked(frozenset(row.id for row in tx.run(_MEMBER, named)))
    rows = tx.run(_MEMBER_AND_REFERRER, named)
    return Locked(frozenset(row.id for row in rows), rows[0].referral_id if rows else None)


def lock_both(tx: Transaction, *, referral_id: int) -> Locked:
    """The referrer's enrollment and the friend's."""
    return Locked(frozenset(row.id for row in tx.run(_BOTH, {"referral_id": referral_id})), referral_id)
