"""What brings milestones forward, that each completes once, and whom it pays."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors, milestones
from loyalty_programs.domain.earning import Purchase
from loyalty_programs.domain.ledger import MAX_BALANCE
from loyalty_programs.domain.referring import Course, Milestone, Step, advance, bonuses, complete

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)
MAY = date(2027, 5, 16)


def goal(kind: str, target: str = "1", *, number: int = 1, minimum: str | None = None) -> Milestone:
    minimum_amount = None if minimum is None else Decimal(minimum)
    return Milestone(number, kind, Decimal(target), 100, 50, minimum_amount=minimum_amount)


def dollars(amount: str) -> Purchase:
    return Purchase(Decimal(amount), "USD")


def course(*goals: Milestone) -> Course:
    return Course("USD", tuple(replace(one, id=number) for number, one in enumerate(goals, start=1)))


@pytest.mark.parametrize(
    ("milestone", "purchases", "progress", "is_met"),
    [
        (goal("enrolled"), [None], "1", True),
        (goal("first_purchase"), [None], "0", False),
        (goal("first_purchase"), [dollars("0.01")], "1", True),
        (goal("first_purchase", minimum="20"), [dollars("19.99")], "0", False),
        (goal("first_purchase", minimum="20"), [dollars("5"), dollars("20")], "1", True),
        (goal("first_purchase", minimum="20"), [Purchase(Decimal(20), "EUR")], "0", False),
        (goal("purchase_count", "2"), [None, dollars("1")], "1", False),
        (goal("purchase_count", "2"), [dollars("1"), Purchase(Decimal(1), "EUR")], "2", True),
        (goal("amount_spent", "30"), [dollars("9.99"), dollars("20.00")], "29.99", False),
        (goal("amount_spent", "30"), [dollars("9.99"), dollars("20.01")], "30", True),
        (goal("amount_spent", "30"), [dollars("9999999999.99")], "30", True),
        (goal("amount_spent", "30"), [Purchase(Decimal(40), "EUR")], "0", False),
        (goal("custom"), [None, dollars("100")], "0", False),
    ],
)
def test_a_milestone_is_met_by_what_it_is_about(
    milestone: Milestone, purchases: list[Purchase | None], progress: str, is_met: bool
) -> None:
    step = Step(course(milestone), ())
    for purchase in purchases:
        step = advance(step.course, purchase, at=NOON)
    [after] = step.course.milestones
    assert (after.progress, after.completed_at) == (Decimal(progress), NOON if is_met else None)
    assert step.completed == ((after,) if is_met else ())


def test_one_purchase_may_meet_several() -> None:
    goals = course(goal("enrolled"), goal("first_purchase"), goal("amount_spent", "20"), goal("purchase_count", "2"))
    step = advance(goals, dollars("24.50"), at=NOON)
    assert [milestone.type for milestone in step.completed] == ["enrolled", "first_purchase", "amount_spent"]
    assert (step.course.status, step.course.awaits_friend) == ("in_progress", True)


def test_a_referral_is_over_with_its_last_milestone() -> None:
    both = course(goal("enrolled"), goal("custom"))
    assert (both.status, both.awaits_friend) == ("pending", True)
    half = advance(both, None, at=NOON).course
    assert (half.status, half.awaits_friend) == ("in_progress", False)
    assert complete(half, None, at=NOON).course.status == "completed"
    begun = advance(course(goal("purchase_count", "2")), dollars("1"), at=NOON).course
    assert begun.status == "in_progress", "something has happened"


def test_by_hand_only_an_open_custom_milestone_is_completed() -> None:
    two = course(goal("custom"), goal("custom"), goal("enrolled"))
    for unclear in (None, 3, 4):
        with pytest.raises(errors.UnknownMilestone):
            complete(two, unclear, at=NOON)
    one_left = complete(two, 2, at=NOON).course
    with pytest.raises(errors.MilestoneAlreadyCompleted):
        complete(one_left, 2, at=NOON)
    none_left = complete(one_left, None, at=NOON).course
    with pytest.raises(errors.MilestoneAlreadyCompleted):
        complete(none_left, 1, at=NOON)
    with pytest.raises(errors.UnknownMilestone):
        complete(course(goal("enrolled")), None, at=NOON)


def test_the_only_custom_milestone_is_meant_even_when_it_is_done() -> None:
    done = complete(course(goal("custom")), None, at=NOON).course
    with pytest.raises(errors.MilestoneAlreadyCompleted):
        complete(done, None, at=NOON)


GOALS = st.lists(
    st.one_of(
        st.builds(goal, st.just("enrolled")),
        st.builds(goal, st.just("custom")),
        st.builds(goal, st.just("first_purchase"), minimum=st.none() | st.integers(1, 60).map(str)),
        st.builds(goal, st.just("purchase_count"), st.integers(1, 5).map(str)),
        st.builds(goal, st.just("amount_spent"), st.decimals("0.01", "120", places=2).map(str)),
    ),
    min_size=1,
    max_size=6,
)
BOUGHT = st.none() | st.builds(
    Purchase, st.decimals("0.01", "80", places=2), st.sampled_from(["USD", "USD", "USD", "EUR"])
)


@given(GOALS, st.lists(BOUGHT, max_size=12))
def test_progress_never_goes_back_and_each_milestone_completes_once(
    goals: list[Milestone], happened: list[Purchase | None]
) -> None:
    now, completed = course(*goals), list[int]()
    for moment, purchase in enumerate(happened):
        step = advance(now, purchase, at=NOON + timedelta(seconds=moment))
        for before, after in zip(now.milestones, step.course.milestones, strict=True):
            assert before.progress <= after.progress <= after.target
            assert (after.progress == after.target) == (after.completed_at is not None)
            assert before.is_open or before == after, "what is completed stays as it is"
        completed += [milestone.id for milestone in step.completed]
        assert milestones.course(milestones.stored(step.course), currency="USD") == step.course
        now = step.course
    assert len(completed) == len(set(completed))
    assert set(completed) == {milestone.id for milestone in now.milestones if not milestone.is_open}


def test_milestones_pay_the_referrer_then_the_friend_each_on_top_of_the_last() -> None:
    both = [goal("enrolled"), replace(goal("custom", number=2), referrer_points=200, referred_points=0)]
    paid = bonuses(both, referrer_balance=-30, friend_balance=7, expires_on=MAY)
    assert [(bonus.milestone_id, bonus.is_referrers, bonus.entry.points_delta) for bonus in paid] == [
        (1, True, 100),
        (1, False, 50),
        (2, True, 200),
    ]
    assert [bonus.entry.points_balance_after for bonus in paid] == [70, 57, 270]
    assert [bonus.entry.points_remaining for bonus in paid] == [70, 50, 200], "a debt is paid first"
    assert {(bonus.entry.type, bonus.entry.expires_on) for bonus in paid} == {("bonus", MAY)}


def test_nobody_is_paid_who_cannot_be() -> None:
    paid = bonuses([goal("enrolled")], referrer_balance=None, friend_balance=MAX_BALANCE - 49, expires_on=None)
    assert paid == ()
