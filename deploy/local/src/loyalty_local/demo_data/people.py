"""Who comes to the shop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

_NAMES = """
Maya Thompson, Daniel Kim, Priya Raman, Lucas Moreau, Hannah Weiss, Omar Haddad, Sofia Marchetti, Ethan Brooks,
Chloe Nguyen, Marcus Bell, Elena Petrova, Noah Fischer, Amara Okafor, James Whitfield, Isabel Santos, Tom Becker,
Grace Liu, Mateo Alvarez, Ruth Goldberg, Kofi Mensah, Julia Novak, Ben Carter, Yuki Tanaka, Leah Friedman,
Samuel Ortiz, Nadia Rahman, Oliver Grant, Fatima Zahra, Peter Lindqvist, Carmen Vega, Aaron Feldman, Mei Chen,
Victor Almeida, Zoë Campbell, Ibrahim Diallo, Anna Kowalska, David Park, Renée Dubois, Caleb Foster, Lina Haddad,
Joseph Marino, Aisha Bello, Martin Schröder, Teresa Gómez, Will Sutton, Ananya Iyer, Hugo Larsen, Naomi Adler,
Patrick O’Brien, Jasmine Reed, Felix Baumann, Rosa Jiménez, Simon Clarke, Leila Farahani, Jack Donnelly, Ingrid Solberg,
Miguel Torres, Esther Cohen, Raj Patel, Clara Johansson
"""
_FRIENDS = "Theo Morgan, Bianca Rossi, Desmond Clark, Saanvi Gupta, Emil Jensen, Olivia Hart"
_PLAIN = str.maketrans("ëéóüöôçñ’ ", "eeouooon..")
_AREA_CODES = ("212", "718", "646", "917")
_DAYS = 30


@dataclass(frozen=True)
class Person:
    """``joined_on`` None: not yet a member. ``visits_a_week`` is what can be expected of this one."""

    name: str
    email: str
    phone: str | None
    joined_on: date | None
    visits_a_week: float


def members(today: date, random: Random) -> list[Person]:
    """Two thirds were members before the month began, the others joined in its course."""
    found = []
    for number, name in enumerate(_listed(_NAMES)):
        newcomer = number % 3 == 2
        days_ago = random.randint(1, _DAYS - 3) if newcomer else random.randint(_DAYS + 2, 200)
        # Many come now and then, some every morning.
        visits_a_week = min(6.5, 0.6 + random.expovariate(1 / 1.9))
        found.append(_person(name, number, joined_on=today - timedelta(days=days_ago), visits_a_week=visits_a_week))
    return found


def friends() -> list[Person]:
    """Those whom members bring along."""
    start = len(_listed(_NAMES))
    return [
        _person(name, number, joined_on=None, visits_a_week=1.0)
        for number, name in enumerate(_listed(_FRIENDS), start=start)
    ]


def _person(name: str, number: int, *, joined_on: date | None, visits_a_week: float) -> Person:
    # 555-01xx are the numbers that nobody has.
    phone = None if number % 5 == 4 else f"+1{_AREA_CODES[number % 4]}55501{number:02d}"
    email = name.lower().translate(_PLAIN).replace("..", "") + "@example.com"
    return Person(name, email, phone, joined_on, visits_a_week)


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")]
