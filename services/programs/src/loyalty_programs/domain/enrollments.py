"""Customers become members of a loyalty card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Conflict, Transaction
from loyalty_common.idempotency import Reply
from loyalty_programs.domain import bookkeeping, enrolling, places, referral_bonuses, shapes
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.bookkeeping import NewEnrollment
from loyalty_programs.domain.facts import Facts, lock_and_load
from loyalty_programs.domain.ledger_rows import Columns
from loyalty_programs.domain.members import NUMBERS, member_number
from loyalty_programs.domain.people import CUSTOMERS, CustomerName
from loyalty_programs.domain.referral_bonuses import Friend
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import enrollment_ids, loyalty_cards, points_transaction_ids, referrals

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CUSTOMER_ID = bindparam("named_customer_id", type_=BigInteger)

# Who is referred at this moment has no enrollment to lock either: he is a member first, or comes by the referral.
_LOCK_NEWCOMER = (
    select(CUSTOMERS.c.customer_id)
    .where(CUSTOMERS.c.tenant_id == _TENANT, CUSTOMERS.c.customer_id == _CUSTOMER_ID)
    .with_for_update(key_share=True)
)
_REFERRAL = select(referrals.c.id).where(
    referrals.c.tenant_id == _TENANT,
    referrals.c.loyalty_card_id == loyalty_cards.c.id,
    referrals.c.referred_customer_id == _CUSTOMER_ID,
    referrals.c.awaits_friend,
)
_CARD_AND_IDS = select(
    *loyalty_cards.c,
    _REFERRAL.correlate(loyalty_cards).scalar_subquery().label("referral_id"),
    enrollment_ids.next_value().label("enrollment_id"),
    points_transaction_ids.next_value().label("transaction_id"),
).where(loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == bindparam("card_id"))


def enroll(tx: Transaction, *, card_id: int, customer: CustomerName, act: Act) -> Reply:
    """A new enrollment with its bonus (201), or the one that exists and no second bonus (200).

    Nothing to lock the first time: of two at once one violates the unique enrollment and runs again.
    """
    receipt = Receipt(occurred_at=act.at)
    facts = lock_and_load(tx, card_id=card_id, customer=customer, act=act, receipt=receipt, with_referrer=True)
    if isinstance(facts, Reply):
        return facts
    places.check_known(facts.loaded, partner_location_id=None)
    bonus = enrolling.enroll(facts.card, facts.member, at=act.at)
    if bonus is None:
        return answer_only(tx, Reply(200, _answer(facts.enrollment or {}, [])), act)
    balance = sum(entry.points_delta for entry in bonus)
    new, bonus_id = prepare(tx, facts, points_balance=balance, act=act)
    occasion = referral_bonuses.of_friend(tx, Friend(facts, new.columns, balance), None, occurred_at=act.at, act=act)
    new = new.after(occasion.rows)
    return bookkeeping.book(
        tx,
        facts,
        bonus,
        ids=[bonus_id for _ in bonus],
        receipt=receipt,
        act=act,
        reply=lambda rows: Reply(201, _answer(new.columns, rows)),
        new=new,
        occasion=occasion,
    )


def prepare(tx: Transaction, facts: Facts, *, points_balance: int, act: Act) -> tuple[NewEnrollment, int]:
    """An enrollment to be, with the balance that it will begin with, and an id for the row of its bonus."""
    named = {"named_customer_id": facts.customer["id"]}
    tx.execute(_LOCK_NEWCOMER, named)
    row = tx.execute(_CARD_AND_IDS, {"card_id": facts.card_id, **named}).one()
    if row.referral_id != facts.locked.referral_id:
        raise Conflict
    columns = {
        "id": row.enrollment_id,
        "loyalty_card_id": facts.card_id,
        "customer_id": facts.customer["id"],
        # Two members with one number violate its unique index: the operation runs again and draws another.
        "member_number": member_number(act.choose(NUMBERS)),
        "status": enrolling.ACTIVE,
        "points_balance": points_balance,
        "created_at": act.at,
        "updated_at": act.at,
    }
    return NewEnrollment(columns, shapes.loyalty_card(row._asdict())), row.transaction_id


def _answer(enrollment: Mapping[str, Any], bonus: Sequence[Columns]) -> dict[str, Any]:
    return {"enrollment": shapes.enrollment(enrollment), "initial_bonus_transactions": list(bonus)}
