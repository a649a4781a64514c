"""What lists to choose from hold: ``(value, label)`` in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from babel.numbers import get_territory_currencies

from loyalty_dashboard.web.languages import language

_REGIONS = tuple(
    f"{region}/" for region in "Africa America Antarctica Asia Atlantic Australia Europe Indian Pacific".split()
)
# Territories of CLDR that are no country's.
_NOT_COUNTRIES = ("EU", "EZ", "QO", "UN", "XA", "XB", "ZZ")

Choices = Sequence[tuple[str, str]]


def countries() -> Choices:
    return _countries(language())


def currencies() -> Choices:
    return _currencies(language())


@cache
def time_zones() -> Choices:
    names = sorted(name for name in available_timezones() if name.startswith(_REGIONS))
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]


@cache
def _countries(language: str) -> Choices:
    named = [(code, name) for code, name in Locale(language).territories.items() if _is_country(code)]
    return sorted(named, key=lambda choice: choice[1])


@cache
def _currencies(language: str) -> Choices:
    names = Locale(language).currencies
    today = date.today()  # noqa: DTZ011 (which day it is anywhere is near enough)
    used = {
        code
        for country, _ in _countries("en")
        for code in get_territory_currencies(country, start_date=today, end_date=today)
    }
    return [(code, f"{code} · {names.get(code, code)}") for code in sorted(used)]


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
