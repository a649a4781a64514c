"""Members get a code that brings their friends."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, literal, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import people, places, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.errors import CustomerNotEnrolled
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.referral_terms import CODES, ReferralTerms, check_running, referral_code
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import (
    enrollments,
    idempotency,
    loyalty_cards,
    referral_code_ids,
    referral_codes,
    referral_programs,
)

_TENANT = bindparam("tenant_id", type_=BigInteger)
_START = select(literal(1).label("one")).subquery("start")
_CUSTOMER = people.CUSTOMERS.c.customer_id

IS_PROGRAM = and_(
    referral_programs.c.tenant_id == _TENANT,
    referral_programs.c.id == bindparam("referral_program_id", type_=BigInteger),
)
IS_CARD_OF_PROGRAM = and_(
    loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == referral_programs.c.loyalty_card_id
)
PROGRAM_COLUMNS = (
    referral_programs.c.id.label("program_id"),
    referral_programs.c.name,
    referral_programs.c.is_active,
    referral_programs.c.valid_from,
    referral_programs.c.valid_until,
    loyalty_cards.c.partner_location_id.label("home_location_id"),
    places.HOME.c.time_zone.label("home_time_zone"),
)

_LOAD = select(
    *replay_columns(idempotency),
    *people.COLUMNS,
    *PROGRAM_COLUMNS,
    enrollments.c.id.label("enrollment_id"),
    referral_code_ids.next_value().label("new_id"),
    *referral_codes.c,
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(referral_programs, IS_PROGRAM)
    .outerjoin(loyalty_cards, IS_CARD_OF_PROGRAM)
    .outerjoin(places.HOME, places.is_home_of(loyalty_cards))
    .outerjoin(people.CUSTOMERS, people.IS_NAMED)
    .outerjoin(
        enrollments,
        and_(
            enrollments.c.tenant_id == _TENANT,
            enrollments.c.loyalty_card_id == loyalty_cards.c.id,
            enrollments.c.customer_id == _CUSTOMER,
        ),
    )
    .outerjoin(
        referral_codes,
        and_(
            referral_codes.c.tenant_id == _TENANT,
            referral_codes.c.referral_program_id == referral_programs.c.id,
            referral_codes.c.customer_id == _CUSTOMER,
        ),
    )
)
_RECORD = Record(inserts=(referral_codes, idempotency))


def get_or_create(tx: Transaction, *, referral_program_id: int, customer: CustomerName, act: Act) -> Reply:
    """The member's code, new (201) or the one there is (200).

    Nothing to lock: of two at once one violates the unique code of the customer and runs again.
    """
    named = {"referral_program_id": referral_program_id, **customer.parameters}
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    if loaded.program_id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    profile = people.identify(tx, loaded, customer)
    if loaded.id is not None:
        return answer_only(tx, Reply(200, shapes.referral_code(loaded._asdict())), act)
    places.check_known(loaded, partner_location_id=None)
    check_running(terms(loaded), act.at)
    if loaded.enrollment_id is None:
        # The bonus of a referral needs a ledger to go to.
        raise CustomerNotEnrolled
    columns = {
        "id": loaded.new_id,
        "referral_program_id": referral_program_id,
        "customer_id": profile["id"],
        "referral_code": referral_code(profile["name"], act.choose(CODES)),
        "created_at": act.at,
    }
    reply = Reply(201, shapes.referral_code(columns))
    _RECORD.write(tx, {referral_codes: [columns], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def terms(loaded: Any) -> ReferralTerms:
    """Of ``PROGRAM_COLUMNS``."""
    return ReferralTerms(
        name=loaded.name,
        is_active=loaded.is_active,
        valid_from=loaded.valid_from,
        valid_until=loaded.valid_until,
        time_zone=loaded.home_time_zone,
    )
