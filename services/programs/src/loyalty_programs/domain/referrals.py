"""A member's friend is referred to a loyalty card, once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, literal, select
from sqlalchemy.types import BigInteger, Text

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import milestones, people, places, referral_queries, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.errors import AlreadyReferred, CustomerNotNew, SelfReferral, UnknownReferralCode
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.referral_codes import IS_CARD_OF_PROGRAM, IS_PROGRAM, PROGRAM_COLUMNS, terms
from loyalty_programs.domain.referral_terms import check_running
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import (
    enrollments,
    idempotency,
    loyalty_cards,
    referral_codes,
    referral_ids,
    referral_programs,
    referrals,
)

_TENANT = bindparam("tenant_id", type_=BigInteger)
_START = select(literal(1).label("one")).subquery("start")
_FRIEND = people.CUSTOMERS.c.customer_id
_REFERRER = people.CUSTOMERS.alias("referrer")

# A friend who is no member has no enrollment to lock. Whoever enrolls him first queues here too, so that he is
# either a member before this referral or finds it.
_LOCK = select(_FRIEND).where(people.IS_NAMED).with_for_update(key_share=True)

_LOAD = select(
    *replay_columns(idempotency),
    *people.COLUMNS,
    *PROGRAM_COLUMNS,
    referral_programs.c.currency,
    referral_programs.c.milestones,
    referral_programs.c.referrer_points,
    referral_programs.c.referred_points,
    referral_programs.c.loyalty_card_id,
    referral_codes.c.id.label("code_id"),
    referral_codes.c.referral_code,
    _REFERRER.c.customer_id.label("referrer_id"),
    enrollments.c.id.label("enrollment_id"),
    referrals.c.id.label("earlier_id"),
    referrals.c.referral_code_id.label("earlier_code_id"),
    referral_ids.next_value().label("id"),
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(referral_programs, IS_PROGRAM)
    .outerjoin(loyalty_cards, IS_CARD_OF_PROGRAM)
    .outerjoin(places.HOME, places.is_home_of(loyalty_cards))
    .outerjoin(people.CUSTOMERS, people.IS_NAMED)
    .outerjoin(
        referral_codes,
        and_(
            referral_codes.c.tenant_id == _TENANT,
            referral_codes.c.referral_program_id == referral_programs.c.id,
            referral_codes.c.referral_code == bindparam("referral_code", type_=Text),
        ),
    )
    .outerjoin(
        _REFERRER,
        and_(
            _REFERRER.c.tenant_id == _TENANT,
            _REFERRER.c.customer_id == referral_codes.c.customer_id,
            _REFERRER.c.erased_at.is_(None),
        ),
    )
    .outerjoin(
        enrollments,
        and_(
            enrollments.c.tenant_id == _TENANT,
            enrollments.c.loyalty_card_id == loyalty_cards.c.id,
            enrollments.c.customer_id == _FRIEND,
        ),
    )
    .outerjoin(
        referrals,
        and_(
            referrals.c.tenant_id == _TENANT,
            referrals.c.loyalty_card_id == loyalty_cards.c.id,
            referrals.c.referred_customer_id == _FRIEND,
        ),
    )
)
_RECORD = Record(inserts=(referrals, idempotency))


def create(tx: Transaction, *, referral_program_id: int, code: str, friend: CustomerName, act: Act) -> Reply:
    """A new referral (201); by the same code again the one there is (200). Small letters of a code are fine."""
    tx.execute(_LOCK, friend.parameters)
    named = {"referral_program_id": referral_program_id, "referral_code": code.upper(), **friend.parameters}
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    if loaded.program_id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    profile = people.identify(tx, loaded, friend)
    if loaded.referrer_id is None:
        raise UnknownReferralCode
    if loaded.earlier_id is not None and loaded.earlier_code_id == loaded.code_id:
        return answer_only(tx, _earlier(tx, loaded), act)
    places.check_known(loaded, partner_location_id=None)
    _check(loaded, friend, act)
    row = _row(loaded, friend_id=profile["id"], act=act)
    reply = Reply(201, shapes.referral({**row, "referral_code": loaded.referral_code}))
    _RECORD.write(tx, {referrals: [row], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def _check(loaded: Any, friend: CustomerName, act: Act) -> None:
    if loaded.referrer_id == loaded.named_id:
        raise SelfReferral(friend.field)
    check_running(terms(loaded), act.at)
    if loaded.earlier_id is not None:
        raise AlreadyReferred(friend.field)
    if loaded.enrollment_id is not None:
        raise CustomerNotNew(friend.field)


def _row(loaded: Any, *, friend_id: int, act: Act) -> dict[str, Any]:
    course = milestones.promised(loaded._mapping)
    return {
        "id": loaded.id,
        "referral_program_id": loaded.program_id,
        "referral_code_id": loaded.code_id,
        "loyalty_card_id": loaded.loyalty_card_id,
        "referrer_customer_id": loaded.referrer_id,
        "referred_customer_id": friend_id,
        "currency": course.currency,
        "status": course.status,
        "awaits_friend": course.awaits_friend,
        "milestones": milestones.stored(course),
        "created_at": act.at,
        "completed_at": None,
    }


def _earlier(tx: Transaction, loaded: Any) -> Reply:
    row = referral_queries.referral(tx, referral_program_id=loaded.program_id, referral_id=loaded.earlier_id)
    if row is None:
        raise NotFound
    return Reply(200, shapes.referral(row._asdict()))
