"""What a purchase or an adjustment would do; nothing is locked, nothing is written."""

from __future__ import annotations

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply
from loyalty_programs.domain import places, points, shapes
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.earning import Adjustment, Purchase
from loyalty_programs.domain.errors import DuplicateReference
from loyalty_programs.domain.explaining import Rule, explain
from loyalty_programs.domain.facts import Facts, look
from loyalty_programs.domain.people import CustomerName


def preview(
    tx: Transaction,
    *,
    card_id: int,
    customer: CustomerName,
    command: Purchase | Adjustment,
    receipt: Receipt,
    act: Act,
) -> Reply:
    """200 also when it would be refused; who or what is unknown is an error here as there.

    A ``reference`` that was used before goes before all other rules, as it does in the write.
    """
    facts = look(
        tx,
        card_id=card_id,
        customer=customer,
        act=act,
        receipt=receipt,
        points_needed=max(0, -command.points) if isinstance(command, Adjustment) else 0,
    )
    places.check_known(facts.loaded, partner_location_id=receipt.partner_location_id)
    explanation = explain(
        facts.card,
        facts.member,
        command,
        member_number=(facts.enrollment or {}).get("member_number"),
        occurred_at=receipt.occurred_at,
        lots=facts.lots,
    )
    if facts.earlier_id is not None:
        explanation = explanation.repeated(_reference(tx, facts, command, receipt))
    return Reply(200, shapes.preview(explanation))


def _reference(tx: Transaction, facts: Facts, command: Purchase | Adjustment, receipt: Receipt) -> Rule:
    try:
        earlier = points.repetition(tx, facts, command, receipt)
    except DuplicateReference as refusal:
        return Rule("reference", refusal.message, refusal)
    message = f"{receipt.reference} was recorded before as transaction {earlier.data['id']}: nothing is added."
    return Rule("reference", message)
