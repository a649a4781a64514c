"""What attempts teach of their endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_webhooks.domain.health import Health, Pace, after, reason_to_give_up
from loyalty_webhooks.domain.outcomes import Attempt, judge

NOW = datetime(2026, 5, 16, 12, 0, tzinfo=UTC)
FINE = (200, None, 20)
LATE = (200, None, 1_500)
BROKEN = (500, None, 20)
BUSY = (429, None, 20)
WRONG = (404, None, 20)
REFUSED = (None, "headers", 20)
TIMEOUT = (None, "deadline", 15_000)
Answer = tuple[int | None, str | None, int]


def attempt(answer: Answer, **headers: str) -> Attempt:
    status_code, stage, duration_ms = answer
    return Attempt(1, NOW, duration_ms, status_code, stage, response_headers=headers)


def learn(answers: Iterable[Answer], health: Health | None = None, *, now: datetime = NOW, most: int = 32) -> Health:
    health = health or Health()
    for answer in answers:
        made = attempt(answer)
        health = after(health, made, judge(made, now=now, chance=0.5), now=now, max_in_flight=most)
    return health


def test_a_lane_grows_from_four_with_every_fast_success_up_to_its_limit() -> None:
    assert Health().in_flight_limit == 4
    assert learn([FINE] * 3).in_flight_limit == 7
    assert learn([FINE] * 100).in_flight_limit == 32
    assert learn([FINE] * 100, most=8).in_flight_limit == 8
    assert learn([LATE] * 100).in_flight_limit == 4


@pytest.mark.parametrize("answer", [TIMEOUT, REFUSED, BUSY, BROKEN, (503, None, 20), (None, "connect", 3_000)])
def test_a_sign_of_overload_halves_it(answer: Answer) -> None:
    assert learn([*[FINE] * 28, answer]).in_flight_limit == 16
    assert learn([*[FINE] * 28, *[answer] * 9]).in_flight_limit == 1


@pytest.mark.parametrize("status_code", [302, 400, 401, 404, 410, 422])
def test_an_answer_that_says_no_is_no_sign_of_overload(status_code: int) -> None:
    assert learn([(status_code, None, 20)]).in_flight_limit == 4


@pytest.mark.parametrize(
    ("answers", "pace"),
    [
        ([], Pace.FRESH),
        ([BROKEN] * 2, Pace.FRESH),
        ([FINE], Pace.FAST),
        ([FINE, BROKEN, BROKEN], Pace.FAST),
        ([FINE, LATE], Pace.FAST),
        ([FINE, LATE, FINE, FINE, LATE], Pace.FAST),
        ([FINE, LATE, LATE], Pace.SLOW),
        ([FINE, BROKEN, BROKEN, BROKEN], Pace.SLOW),
        ([FINE, TIMEOUT], Pace.SLOW),
        ([TIMEOUT], Pace.SLOW),
        ([TIMEOUT, FINE], Pace.FAST),
        ([*[TIMEOUT] * 9, *[FINE] * 4], Pace.SLOW),
        ([*[TIMEOUT] * 9, *[FINE] * 5], Pace.FAST),
    ],
)
def test_lanes_are_fast_fresh_or_slow(answers: list[Answer], pace: Pace) -> None:
    assert learn(answers).pace is pace


def test_the_breaker_opens_with_the_fifth_failure_and_closes_with_a_success() -> None:
    assert not learn([WRONG] * 4).is_blocked(NOW)
    opened = learn([WRONG] * 5)
    assert opened.is_blocked(NOW)
    assert opened.blocked_until == NOW + timedelta(seconds=10)
    assert not opened.is_blocked(NOW + timedelta(seconds=10))
    assert opened.is_half_open
    closed = learn([FINE], opened, now=NOW + timedelta(seconds=11))
    assert (closed.is_half_open, closed.failures, closed.blocked_until) == (False, 0, None)


def test_what_was_under_way_when_the_breaker_opened_does_not_open_it_further() -> None:
    assert learn([WRONG] * 9) == Health(failures=9, failing_since=NOW, times_opened=1, blocked_until=at_s(10))


def at_s(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_every_probe_that_fails_doubles_the_pause_up_to_a_quarter_of_an_hour() -> None:
    health, now, pauses = learn([WRONG] * 5), NOW, [10.0]
    for _ in range(10):
        assert health.blocked_until is not None
        now = health.blocked_until
        health = learn([WRONG], health, now=now)
        pauses.append((health.blocked_until - now).total_seconds())
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]


def test_a_receiver_that_asks_for_a_pause_gets_it_though_it_answers_others_meanwhile() -> None:
    asked = attempt(BUSY, **{"retry-after": "90"})
    health = after(Health(), asked, judge(asked, now=NOW, chance=0.5), now=NOW, max_in_flight=32)
    assert health.blocked_until == NOW + timedelta(seconds=90)
    assert learn([FINE], health).blocked_until == NOW + timedelta(seconds=90)
    assert not health.is_half_open


def test_an_endpoint_is_given_up_after_five_days_and_twenty_failures_without_success() -> None:
    failing = Health(failures=20, failing_since=NOW - timedelta(days=5))
    outcome = judge(attempt(WRONG), now=NOW, chance=0.5)
    assert reason_to_give_up(failing, outcome, now=NOW) == "failing"
    assert reason_to_give_up(failing, outcome, now=NOW - timedelta(seconds=1)) is None
    few = Health(failures=19, failing_since=NOW - timedelta(days=30))
    assert reason_to_give_up(few, outcome, now=NOW) is None
    assert reason_to_give_up(learn([FINE], failing), outcome, now=NOW) is None


def test_an_endpoint_that_says_it_is_gone_is_given_up_at_once() -> None:
    outcome = judge(attempt((410, None, 20)), now=NOW, chance=0.5)
    assert reason_to_give_up(Health(), outcome, now=NOW) == "gone"


@given(st.lists(st.sampled_from([FINE, LATE, BROKEN, BUSY, WRONG, REFUSED, TIMEOUT])), st.integers(1, 32))
def test_whatever_comes_a_lane_keeps_a_place_and_a_success_forgives(answers: list[Answer], most: int) -> None:
    health = learn(answers, most=most)
    assert 1 <= health.in_flight_limit <= max(most, 4)
    assert health.blocked_until is None or health.blocked_until <= NOW + timedelta(minutes=15)
    forgiven = learn([FINE], health, most=most)
    assert (forgiven.failures, forgiven.failing_since, forgiven.is_half_open) == (0, None, False)
    settled = learn([FINE] * 40, forgiven, most=most)
    assert learn([FINE], settled, most=most) == settled  # nothing to be written any more
