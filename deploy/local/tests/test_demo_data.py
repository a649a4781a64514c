"""The month that the demo organization is given: as a coffee shop has it, and the same one every time."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty_local.demo_data import people, visits
from loyalty_local.demo_data.visits import PLACES

moments = st.integers(0, 1_000_000).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours / 30))


def month(until):
    random = Random(2026)
    members = people.members(until.date(), random)
    return members, visits.of_a_month(members, until=until, random=random)


@pytest.fixture
def bought():
    return month(datetime(2026, 5, 31, 12, tzinfo=UTC))[1]


@given(moments)
@settings(max_examples=10)
def test_nobody_buys_in_the_future_before_joining_or_longer_ago_than_the_api_looks_back(until):
    _, bought = month(until)

    assert len(bought) > 300
    assert all(until - timedelta(days=30) < visit.at < until for visit in bought)
    assert all(visit.at.date() > visit.person.joined_on for visit in bought)
    assert [visit.at for visit in bought] == sorted(visit.at for visit in bought)


@given(moments)
@settings(max_examples=10)
def test_whoever_goes_on_with_the_month_makes_the_same_one(until):
    assert month(until) == month(until)


def test_commuters_come_in_the_morning_and_more_people_on_saturdays_than_on_sundays(bought):
    hours = Counter(visit.at.hour for visit in bought)
    days = Counter(visit.at.weekday() for visit in bought)

    assert hours[8] > 1.5 * hours[14]
    assert days[5] > days[6]
    assert not [visit for visit in bought if visit.at.hour not in PLACES[visit.place].hours]


def test_no_two_people_share_an_email_or_a_phone():
    everybody = [*month(datetime(2026, 5, 31, tzinfo=UTC))[0], *people.friends()]
    phones = [person.phone for person in everybody if person.phone]

    assert len({person.email for person in everybody}) == len(everybody) == 66
    assert len(set(phones)) == len(phones)
    assert all(person.email.isascii() for person in everybody)
