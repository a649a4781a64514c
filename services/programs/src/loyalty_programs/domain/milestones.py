"""Milestones as a merchant lays them down, as a referral copies them, and as both are stored. Pure.

A program stores what the API shows. A referral stores what was promised to the two, points and target resolved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_common.money import format_amount, has_too_many_decimals, minor_digits
from loyalty_programs.domain.errors import InvalidMilestones
from loyalty_programs.domain.referring import Course, Milestone

Stored = dict[str, Any]
TAKES = {"first_purchase": "minimum_amount", "purchase_count": "count", "amount_spent": "amount"}
"""The one field of each type that has one; only ``minimum_amount`` may be left out."""

_AMOUNTS = ("minimum_amount", "amount")


def laid_down(
    sent: Sequence[Mapping[str, Any]], kept: Sequence[Stored], *, currency: str, ids: Sequence[int]
) -> list[Stored]:
    """The milestones of a program, new ones under one of ``ids`` each; ``kept``: those it had.

    One that names the id of a kept one is that one changed, one that says the same as a kept one is that one.
    Raises ``InvalidMilestones``.
    """
    faults = list(_faults(sent, {milestone["id"] for milestone in kept}, currency))
    if faults:
        raise InvalidMilestones(faults)
    named = {milestone["id"] for milestone in sent}
    free = [milestone for milestone in kept if milestone["id"] not in named]
    fresh = iter(ids)
    found = []
    for milestone in (_stored(milestone, currency) for milestone in sent):
        same = next((one for one in free if milestone["id"] is None and {**one, "id": None} == milestone), None)
        if same is not None:
            free.remove(same)
        found.append(same or {**milestone, "id": milestone["id"] or next(fresh)})
    return found


def promised(program: Mapping[str, Any]) -> Course:
    """What a referral begins with: the program's milestones of now, with its points where they have none."""
    return Course(program["currency"], tuple(_promise(milestone, program) for milestone in program["milestones"]))


def stored(course: Course) -> list[Stored]:
    return [
        {
            "id": milestone.id,
            "type": milestone.type,
            "completed_at": None if milestone.completed_at is None else timestamp(milestone.completed_at),
            "progress": _measure(milestone, milestone.progress, course.currency),
            "target": _measure(milestone, milestone.target, course.currency),
            "minimum_amount": None if milestone.minimum_amount is None else str(milestone.minimum_amount),
            "referrer_points": milestone.referrer_points,
            "referred_points": milestone.referred_points,
        }
        for milestone in course.milestones
    ]


def course(milestones: Sequence[Stored], *, currency: str) -> Course:
    """What ``stored`` made of it."""
    return Course(currency, tuple(_read(milestone) for milestone in milestones))


def _faults(sent: Sequence[Mapping[str, Any]], known: set[int], currency: str) -> Iterator[tuple[int, str, str]]:
    seen = set()
    for at, milestone in enumerate(sent):
        if milestone["id"] is not None and (milestone["id"] not in known or milestone["id"] in seen):
            yield at, "id", "The id field must name a milestone of this referral program, once."
        seen.add(milestone["id"])
        for field in _AMOUNTS:
            if milestone[field] is not None and has_too_many_decimals(milestone[field], currency):
                most = minor_digits(currency)
                words = field.replace("_", " ")
                yield at, field, f"The {words} field may have at most {most} decimals in {currency}."


def _stored(sent: Mapping[str, Any], currency: str) -> Stored:
    amounts = {field: None if sent[field] is None else format_amount(sent[field], currency) for field in _AMOUNTS}
    return {
        "id": sent["id"],
        "type": sent["type"],
        "minimum_amount": amounts["minimum_amount"],
        "count": sent["count"],
        "amount": amounts["amount"],
        "referrer_points": sent["referrer_points"],
        "referred_points": sent["referred_points"],
    }


def _promise(milestone: Stored, program: Mapping[str, Any]) -> Milestone:
    points = {
        name: program[name] if milestone[name] is None else milestone[name]
        for name in ("referrer_points", "referred_points")
    }
    minimum = milestone["minimum_amount"]
    return Milestone(
        id=milestone["id"],
        type=milestone["type"],
        target=Decimal(milestone["count"] or milestone["amount"] or 1),
        minimum_amount=None if minimum is None else Decimal(minimum),
        **points,
    )


def _read(milestone: Stored) -> Milestone:
    minimum, completed_at = milestone["minimum_amount"], milestone["completed_at"]
    return Milestone(
        id=milestone["id"],
        type=milestone["type"],
        target=Decimal(milestone["target"]),
        referrer_points=milestone["referrer_points"],
        referred_points=milestone["referred_points"],
        minimum_amount=None if minimum is None else Decimal(minimum),
        progress=Decimal(milestone["progress"]),
        completed_at=None if completed_at is None else datetime.fromisoformat(completed_at),
    )


def _measure(milestone: Milestone, number: Decimal, currency: str) -> str:
    return format_amount(number, currency) if milestone.type == "amount_spent" else str(int(number))
