"""When who bought what: a pure function of the moment at which the month ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from loyalty_local.demo_data.people import Person

DAYS = 29
"""One less than the API looks back, so that making the data may be interrupted for a day."""
_BUSY_DAYS = (1.0, 0.95, 1.0, 1.1, 1.3, 1.45, 0.8)  # Monday to Sunday.
_CENTS = Decimal("0.01")


@dataclass(frozen=True)
class Place:
    """``hours``: how busy each of the opening hours is. ``share`` of all visits."""

    name: str
    time_zone: str
    hours: dict[int, int]
    share: float


PLACES = (
    Place("Riverside", "America/New_York", {7: 6, 8: 9, 9: 6, 10: 3, 11: 3, 12: 5, 13: 4, 14: 2, 15: 4, 16: 3}, 0.5),
    Place("Grand Station", "America/New_York", {6: 5, 7: 10, 8: 9, 9: 3, 12: 2, 16: 3, 17: 6, 18: 4}, 0.3),
    Place("Lakeside", "America/Chicago", {9: 2, 10: 4, 11: 5, 12: 4, 13: 4, 14: 5, 15: 6, 16: 4, 17: 2}, 0.2),
)
"""The first is the one that the organization is founded with."""


@dataclass(frozen=True)
class Visit:
    """``number`` names it among all; ``cups`` are what stamps are given for; ``mood`` 0 to 1 is its chance."""

    number: int
    person: Person
    place: int
    at: datetime
    amount: Decimal
    cups: int
    mood: float


def of_a_month(people: Sequence[Person], *, until: datetime, random: Random) -> list[Visit]:
    """Oldest first. Nobody comes before joining, or after ``until``."""
    found = []
    for person in people:
        favourite = random.choices(range(len(PLACES)), [place.share for place in PLACES])[0]
        for days_ago in range(DAYS + 1):
            at, place = _moment(until, days_ago, favourite, random)
            amount, cups = _bought(random)
            comes = random.random() < person.visits_a_week / 7 * _BUSY_DAYS[at.weekday()]
            is_member = person.joined_on is None or at.date() > person.joined_on
            if comes and is_member and until - timedelta(days=DAYS) < at < until:
                found.append((at, person, place, amount, cups, random.random()))
    found.sort(key=lambda visit: (visit[0], visit[1].email))
    return [
        Visit(number, person, place, at, amount, cups, mood)
        for number, (at, person, place, amount, cups, mood) in enumerate(found)
    ]


def _moment(until: datetime, days_ago: int, favourite: int, random: Random) -> tuple[datetime, int]:
    place = favourite if random.random() < 0.85 else random.randrange(len(PLACES))
    zone, hours = ZoneInfo(PLACES[place].time_zone), PLACES[place].hours
    day = until.astimezone(zone).date() - timedelta(days=days_ago)
    hour = random.choices(list(hours), list(hours.values()))[0]
    return datetime.combine(day, time(hour, random.randrange(60), random.randrange(60)), zone), place


def _bought(random: Random) -> tuple[Decimal, int]:
    """Cups, often something to eat, now and then a bag of beans."""
    cups = random.choices((1, 2, 3), (78, 17, 5))[0]
    amount = sum(random.choice((3.5, 4.25, 4.75, 5.5)) for _ in range(cups))
    amount += random.choice((3.25, 3.95, 8.5)) if random.random() < 0.4 else 0
    amount += 17.5 if random.random() < 0.05 else 0
    return Decimal(amount).quantize(_CENTS), cups
