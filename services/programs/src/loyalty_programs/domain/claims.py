"""Members claim rewards for points; merchants hand them over, or take the claim back."""

from __future__ import annotations

from typing import Any

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import bookkeeping, claim_facts, claiming, lot_facts, places, shapes
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.bookkeeping import Occasion
from loyalty_programs.domain.claiming import RewardTerms
from loyalty_programs.domain.facts import Facts
from loyalty_programs.domain.ledger import restore
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.events import RewardClaimed
from loyalty_programs.models import idempotency, loyalty_rewards, reward_claims

_STOCK = {loyalty_rewards: ("claimed_count", "updated_at")}
_RECORD_CLAIM = bookkeeping.record_with(inserts=(reward_claims,), changes=_STOCK)
_RECORD_CANCELLATION = bookkeeping.record_with(changes={**_STOCK, reward_claims: ("status", "cancelled_at")})
# No guard: the lock found the enrollment, without which there is no claim.
_RECORD_FULFILMENT = Record(
    changes={reward_claims: ("status", "fulfilled_at", "order_reference", "partner_location_id")},
    inserts=(idempotency,),
)


def claim(
    tx: Transaction, *, card_id: int, reward_id: int, customer: CustomerName, receipt: Receipt, act: Act
) -> Reply:
    """A claim, and the ledger row that paid for it (201). It takes a piece of the stock."""
    found = claim_facts.lock_and_load_new(
        tx, card_id=card_id, reward_id=reward_id, customer=customer, receipt=receipt, act=act
    )
    if isinstance(found, Reply):
        return found
    facts, reward = found
    places.check_known(facts.loaded, partner_location_id=receipt.partner_location_id)
    entry = claiming.claim(
        facts.card,
        facts.member,
        _terms(reward),
        claims_of_customer=facts.loaded.claims_of_customer,
        at=act.at,
        lots=facts.lots,
    )
    row = _columns(facts, reward, receipt=receipt, act=act)
    shown = shapes.reward_claim(row)
    event = RewardClaimed(shown, facts.transaction_id, facts.customer, act.source)
    return bookkeeping.book(
        tx,
        facts,
        [entry],
        ids=[facts.transaction_id],
        receipt=receipt,
        act=act,
        reply=lambda rows: Reply(201, {"claim": shown, "transaction": rows[-1]}),
        occasion=Occasion(
            links={"reward_claim_id": row["id"]},
            record=_RECORD_CLAIM,
            inserts={reward_claims: [row]},
            changes={loyalty_rewards: [_stock(reward, reward.claimed_count + 1, act)]},
            events=lambda _: [event],
            loyalty_reward_id=reward.id,
        ),
    )


def fulfill(
    tx: Transaction, *, card_id: int, claim_id: int, order_reference: str | None, location_id: int | None, act: Act
) -> Reply:
    """The claim is handed over (200), whatever became of card and member meanwhile: the points are paid.

    For the same ``order_reference`` again the first result. ``location_id``: where, if not where it was claimed.
    """
    claim_facts.lock_member(tx, card_id=card_id, claim_id=claim_id)
    loaded = claim_facts.load(tx, card_id=card_id, claim_id=claim_id, partner_location_id=location_id, act=act)
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    stored = loaded._asdict()
    if claiming.is_repetition(loaded.status, stored_reference=loaded.order_reference, order_reference=order_reference):
        return answer_only(tx, Reply(200, shapes.reward_claim(stored), meta={"duplicate": True}), act)
    claiming.check_open(loaded.status)
    if location_id is not None and loaded.sale_location_id is None:
        raise places.missing(location_id)
    handed_over = {
        "status": claiming.FULFILLED,
        "fulfilled_at": act.at,
        "order_reference": order_reference,
        "partner_location_id": location_id or loaded.partner_location_id,
    }
    reply = Reply(200, shapes.reward_claim(stored | handed_over))
    _RECORD_FULFILMENT.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        changes={reward_claims: [{"id": claim_id, **handed_over}]},
    )
    return reply


def cancel(tx: Transaction, *, card_id: int, claim_id: int, act: Act) -> Reply:
    """The points go back to the lots they came from, with their old expiry, and the piece to the stock (200)."""
    locked = claim_facts.lock_member(tx, card_id=card_id, claim_id=claim_id)
    reward = claim_facts.lock_reward(tx, card_id=card_id, reward_id=locked.loyalty_reward_id)
    stored = claim_facts.load(tx, card_id=card_id, claim_id=claim_id, partner_location_id=None, act=act)
    reply = stored_reply(stored, act.request)
    if reply is not None:
        return reply
    claiming.check_open(stored.status)
    receipt = Receipt(occurred_at=act.at)
    facts = claim_facts.load_member(tx, card_id=card_id, locked=locked, receipt=receipt, act=act)
    if isinstance(facts, Reply):
        return facts
    spends = lot_facts.spends_of(tx, transaction_id=stored.points_transaction_id)
    entry = restore(stored.points_cost, points_balance=facts.loaded.points_balance, spends=spends)
    ended = {"status": claiming.CANCELLED, "cancelled_at": act.at}
    shown = shapes.reward_claim(stored._asdict() | ended)
    return bookkeeping.book(
        tx,
        facts,
        [entry],
        ids=[facts.transaction_id],
        receipt=receipt,
        act=act,
        reply=lambda rows: Reply(200, {"claim": shown, "transaction": rows[-1]}),
        occasion=Occasion(
            links={"reward_claim_id": claim_id, "reverses_transaction_id": stored.points_transaction_id},
            record=_RECORD_CANCELLATION,
            changes={
                loyalty_rewards: [_stock(reward, reward.claimed_count - 1, act)],
                reward_claims: [{"id": claim_id, **ended}],
            },
        ),
    )


def _terms(reward: Any) -> RewardTerms:
    return RewardTerms(**{name: getattr(reward, name) for name in RewardTerms.__slots__})


def _stock(reward: Any, claimed_count: int, act: Act) -> dict[str, Any]:
    return {"id": reward.id, "claimed_count": claimed_count, "updated_at": act.at}


def _columns(facts: Facts, reward: Any, *, receipt: Receipt, act: Act) -> dict[str, Any]:
    return {
        "id": facts.loaded.claim_id,
        "loyalty_reward_id": reward.id,
        "loyalty_card_id": facts.card_id,
        "enrollment_id": facts.loaded.enrollment_id,
        "customer_id": facts.customer["id"],
        "points_transaction_id": facts.transaction_id,
        "reward_title": reward.title,
        "points_cost": reward.points_cost,
        # Two claims with one code violate its unique index: the operation runs again and draws another.
        "claim_code": claiming.claim_code(act.choose(claiming.CODES)),
        "status": claiming.CLAIMED,
        "partner_location_id": receipt.partner_location_id,
        "notes": receipt.notes,
        "order_reference": None,
        "claimed_at": act.at,
        "fulfilled_at": None,
        "cancelled_at": None,
        "created_at": act.at,
    }
