"""What brings a milestone of a referral forward, and what completes it. Pure: facts and time come in as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from loyalty_programs.domain.earning import Purchase
from loyalty_programs.domain.errors import MilestoneAlreadyCompleted, UnknownMilestone
from loyalty_programs.domain.ledger import MAX_BALANCE, Entry, gain

TYPES = ("enrolled", "first_purchase", "purchase_count", "amount_spent", "custom")
_NOTHING, _ONCE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Milestone:
    """As it was promised to the two. Complete when ``progress`` reaches ``target``, and for good.

    ``target``: how often, or for ``amount_spent`` how much, in the referral's currency; so is ``minimum_amount``.
    """

    id: int
    type: str
    target: Decimal
    referrer_points: int
    referred_points: int
    minimum_amount: Decimal | None = None
    progress: Decimal = _NOTHING
    completed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.completed_at is None


@dataclass(frozen=True, slots=True)
class Course:
    """How far a referral has come; amounts are in ``currency``."""

    currency: str
    milestones: tuple[Milestone, ...]

    @property
    def status(self) -> str:
        if not any(milestone.is_open for milestone in self.milestones):
            return "completed"
        return "in_progress" if any(milestone.progress for milestone in self.milestones) else "pending"

    @property
    def awaits_friend(self) -> bool:
        """Whether enrolling or buying can still complete a milestone."""
        return any(milestone.is_open and milestone.type != "custom" for milestone in self.milestones)


@dataclass(frozen=True, slots=True)
class Step:
    """What a course becomes, and the milestones that this completed, in the program's order."""

    course: Course
    completed: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True)
class Bonus:
    """A ledger row for one of the two, and the milestone that it is for."""

    milestone_id: int
    is_referrers: bool
    entry: Entry


def advance(course: Course, purchase: Purchase | None, *, at: datetime) -> Step:
    """The friend is a member and, with ``purchase``, buys.

    ``enrolled`` is about being a member, not about the moment of becoming one: where the program was inactive
    then, the next purchase completes it.
    """
    return _step(course, lambda milestone: _gain(milestone, purchase, course.currency), at=at)


def complete(course: Course, milestone_id: int | None, *, at: datetime) -> Step:
    """The merchant says that a custom milestone is met; ``None`` where only one can be meant.

    Raises ``UnknownMilestone`` or ``MilestoneAlreadyCompleted``.
    """
    chosen = _chosen(course, milestone_id)
    return _step(course, lambda milestone: _ONCE if milestone.id == chosen.id else _NOTHING, at=at)


def bonuses(
    completed: Iterable[Milestone], *, referrer_balance: int | None, friend_balance: int, expires_on: date | None
) -> tuple[Bonus, ...]:
    """The rows that completed milestones bring, the referrer's before the friend's; none for 0 points.

    ``referrer_balance``: None where the referrer cannot be paid. Nobody is paid beyond what a balance can hold:
    the friend's purchase, which is what happens here, must not fail over a bonus.
    """
    found = []
    balances = {True: referrer_balance, False: friend_balance}
    for milestone in completed:
        for is_referrers, points in ((True, milestone.referrer_points), (False, milestone.referred_points)):
            balance = balances[is_referrers]
            if not points or balance is None or balance + points > MAX_BALANCE:
                continue
            entry = gain("bonus", points, points_balance=balance, expires_on=expires_on)
            balances[is_referrers] = entry.points_balance_after
            found.append(Bonus(milestone.id, is_referrers, entry))
    return tuple(found)


def _step(course: Course, gain: Callable[[Milestone], Decimal], *, at: datetime) -> Step:
    milestones = tuple(
        _forward(milestone, gain(milestone), at=at) if milestone.is_open else milestone
        for milestone in course.milestones
    )
    completed = (new for old, new in zip(course.milestones, milestones, strict=True) if old.is_open and not new.is_open)
    return Step(replace(course, milestones=milestones), tuple(completed))


def _forward(milestone: Milestone, gain: Decimal, *, at: datetime) -> Milestone:
    progress = min(milestone.progress + gain, milestone.target)
    return replace(milestone, progress=progress, completed_at=at if progress == milestone.target else None)


def _gain(milestone: Milestone, purchase: Purchase | None, currency: str) -> Decimal:
    if milestone.type == "enrolled":
        return _ONCE
    if purchase is None:
        return _NOTHING
    spent = purchase.amount if purchase.currency == currency else _NOTHING
    match milestone.type:
        case "purchase_count":
            return _ONCE
        case "amount_spent":
            return spent
        case "first_purchase" if milestone.minimum_amount is None or spent >= milestone.minimum_amount:
            # The first that reaches the minimum, not only the very first.
            return _ONCE
        case _:
            return _NOTHING


def _chosen(course: Course, milestone_id: int | None) -> Milestone:
    custom = [milestone for milestone in course.milestones if milestone.type == "custom"]
    if milestone_id is not None:
        meant = [milestone for milestone in custom if milestone.id == milestone_id]
    else:
        meant = [milestone for milestone in custom if milestone.is_open] or custom[:1]
    if len(meant) != 1:
        raise UnknownMilestone(meant=len(meant))
    [milestone] = meant
    if not milestone.is_open:
        raise MilestoneAlreadyCompleted
    return milestone
