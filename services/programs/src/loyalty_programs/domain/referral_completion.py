"""The merchant says that a custom milestone of a referral is met."""

from __future__ import annotations

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply
from loyalty_programs.domain import (
    bookkeeping,
    locks,
    places,
    referral_bonuses,
    referral_facts,
    referral_queries,
    referring,
)
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.enrolling import check_may_transact
from loyalty_programs.domain.errors import CustomerNotEnrolled, ReferralProgramInactive
from loyalty_programs.domain.facts import Facts, lock_and_load
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.referral_bonuses import Friend
from loyalty_programs.domain.referral_facts import ReferralFacts
from loyalty_programs.domain.terms import check_valid
from loyalty_programs.events import ReferralCompleted


def complete(
    tx: Transaction, *, referral_program_id: int, referral_id: int, milestone_id: int | None, act: Act
) -> Reply:
    """Once for each milestone; ``milestone_id`` is None where one custom milestone is open.

    The friend must be a member who may be paid, for the bonus needs a ledger to go to.
    """
    found = referral_queries.referral(tx, referral_program_id=referral_program_id, referral_id=referral_id)
    if found is None:
        raise NotFound
    locked = locks.lock_both(tx, referral_id=referral_id)
    receipt = Receipt(occurred_at=act.at)
    friend = CustomerName(customer_id=found.referred_customer_id)
    facts = lock_and_load(tx, card_id=found.loyalty_card_id, customer=friend, act=act, receipt=receipt)
    if isinstance(facts, Reply):
        return facts
    places.check_known(facts.loaded, partner_location_id=None)
    referral = referral_facts.load(tx, referral_id, locked)
    step = referring.complete(referral.course, milestone_id, at=act.at)
    settlement = referral_bonuses.settle(
        tx, _member(facts, referral, act), referral, step, occurred_at=receipt.occurred_at, act=act
    )
    [completed] = settlement.completed
    return bookkeeping.book(
        tx,
        facts,
        (),
        ids=(),
        receipt=receipt,
        act=act,
        reply=lambda _: _answer(completed),
        occasion=settlement.occasion,
    )


def _member(facts: Facts, referral: ReferralFacts, act: Act) -> Friend:
    if not referral.program_is_active:
        raise ReferralProgramInactive(referral.program_name)
    check_valid(facts.card, act.at)
    check_may_transact(facts.card, facts.member, may_enroll=False)
    if facts.enrollment is None:
        raise CustomerNotEnrolled
    return Friend(facts, facts.enrollment, facts.enrollment["points_balance"])


def _answer(completed: ReferralCompleted) -> Reply:
    return Reply(
        200,
        {
            "referral": completed.referral,
            "milestone": completed.milestone,
            "reward_transactions": list(completed.reward_transactions),
        },
    )
