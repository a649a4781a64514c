"""What an attempt means, and when the next one comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_webhooks.domain.outcomes import Attempt, Outcome, judge
from loyalty_webhooks.domain.retries import DELAYS_S, retry_after_s, retry_in_s

NOW = datetime(2026, 5, 16, 12, 0, tzinfo=UTC)


def attempt(number: int = 1, status_code: int | None = 200, stage: str | None = None, **headers: str) -> Attempt:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Attempt(
        number=number,
        started_at=NOW,
        duration_ms=80,
        status_code=status_code,
        error_stage=stage,
        response_headers=named,
    )


@pytest.mark.parametrize("status_code", [200, 201, 202, 204, 299])
def test_2xx_is_success(status_code: int) -> None:
    assert judge(attempt(status_code=status_code), now=NOW, chance=0.5) == Outcome("succeeded")


@pytest.mark.parametrize("status_code", [199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_everything_else_is_tried_again(status_code: int) -> None:
    outcome = judge(attempt(status_code=status_code), now=NOW, chance=0.5)
    assert (outcome.status, outcome.retry_in_s) == ("pending", 5)


def test_a_2xx_whose_answer_broke_off_is_no_success() -> None:
    assert judge(attempt(status_code=200, stage="body"), now=NOW, chance=0.5).status == "pending"


def test_only_410_says_that_the_endpoint_is_gone() -> None:
    assert judge(attempt(status_code=410), now=NOW, chance=0.5).endpoint_gone
    assert not judge(attempt(status_code=404), now=NOW, chance=0.5).endpoint_gone


def test_the_schedule_is_the_published_one_and_ends_with_the_eleventh_failure() -> None:
    delays = [judge(attempt(number, 500), now=NOW, chance=0.5).retry_in_s for number in range(1, 11)]
    assert delays == [5, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert judge(attempt(11, 500), now=NOW, chance=0.5) == Outcome("exhausted")


@given(failed=st.integers(1, len(DELAYS_S)), chance=st.floats(0, 1, exclude_max=True))
def test_a_delay_lies_within_a_fifth_of_the_schedule(failed: int, chance: float) -> None:
    delay = retry_in_s(failed_attempts=failed, retry_after_s=None, chance=chance)
    assert delay is not None
    assert 0.8 <= round(delay / DELAYS_S[failed - 1], 6) <= 1.2


def test_retry_after_lengthens_a_delay_and_never_shortens_it() -> None:
    assert judge(attempt(1, 429, retry_after="120"), now=NOW, chance=0.5).retry_in_s == 120
    assert judge(attempt(4, 503, retry_after="120"), now=NOW, chance=0.5).retry_in_s == 1800
    assert judge(attempt(1, 503, retry_after="99999999999"), now=NOW, chance=0.5).retry_in_s == 86400
    assert judge(attempt(1, 500, retry_after="120"), now=NOW, chance=0.5).retry_in_s == 5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("Sat, 16 May 2026 12:01:30 GMT", 90),
        ("Sat, 16 May 2026 12:01:30 -0000", 90),
        ("Sat, 16 May 2026 11:00:00 GMT", 0),
        ("-7", None),
        ("7.5", None),
        ("٧", None),
        ("soon", None),
        ("", None),
        ("Sat, 99 May 2026 12:01:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: int | None) -> None:
    assert retry_after_s(503, header, now=NOW) == seconds


def test_a_date_far_ahead_is_cut_to_a_day() -> None:
    far = (NOW + timedelta(days=9000)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert judge(attempt(1, 503, retry_after=far), now=NOW, chance=0.5).retry_in_s == 86400


def test_what_the_receiver_asks_for_counts_for_all_that_goes_to_it_but_no_longer_than_an_hour() -> None:
    assert judge(attempt(4, 503, retry_after="120"), now=NOW, chance=0.5).lane_pause_s == 120
    assert judge(attempt(1, 429, retry_after="99999"), now=NOW, chance=0.5).lane_pause_s == 3600
    assert judge(attempt(1, 500, retry_after="120"), now=NOW, chance=0.5).lane_pause_s is None
