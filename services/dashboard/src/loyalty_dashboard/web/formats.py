"""Filters of the templates: times, days, numbers and money as the reader is used to them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates, numbers
from flask import Flask
from markupsafe import Markup

from loyalty_dashboard.web.languages import locale
from loyalty_dashboard.web.sessions import person

_NOTHING = Markup('<span class="none">–</span>')


def install(app: Flask) -> None:
    app.jinja_env.filters |= {
        "moment": moment,
        "day": day,
        "number": number,
        "money": money,
        "percent": percent,
        "or_dash": or_dash,
    }


def moment(text: str | None, *, zone: str | None = None, exact: bool = False) -> Markup:
    """A time of the API; ``exact``: with seconds. ``zone``: a location's, or the organization's if it is left out."""
    if text is None:
        return _NOTHING
    local, language = datetime.fromisoformat(text).astimezone(_zone(zone)), locale()
    date_text = dates.format_date(local, "medium", locale=language)
    time_text = dates.format_time(local, "medium" if exact else "short", tzinfo=local.tzinfo, locale=language)
    frame = str(dates.get_datetime_format("medium", locale=language)).replace("'", "")
    shown = frame.replace("{1}", date_text).replace("{0}", time_text)
    return Markup('<time datetime="{}">{}</time>').format(text, shown)


def day(text: str | None, *, zone: str | None = None) -> Markup:
    """A date of the API, or the day on which a time of it lies."""
    if text is None:
        return _NOTHING
    is_date = len(text) == len("2026-05-16")
    value = date.fromisoformat(text) if is_date else datetime.fromisoformat(text).astimezone(_zone(zone)).date()
    return Markup('<time datetime="{}">{}</time>').format(text, dates.format_date(value, "medium", locale=locale()))


def number(value: int | str | None) -> str | Markup:
    return _NOTHING if value is None else numbers.format_decimal(Decimal(value), locale=locale())


def money(amount: str | None, currency: str | None = None) -> str | Markup:
    """``currency``: the organization's if it is left out."""
    if amount is None:
        return _NOTHING
    someone = person()
    code = currency or (someone.organization["currency"] if someone else "USD")
    return numbers.format_currency(Decimal(amount), code, locale=locale())


def percent(share: str | None) -> str | Markup:
    """``0.9917`` as 99.2 %."""
    return _NOTHING if share is None else numbers.format_percent(Decimal(share), "#,##0.#%", locale=locale())


def or_dash(value: Any) -> Any:
    return _NOTHING if value in (None, "", []) else value


def local_input(text: str | None) -> str:
    """A time of the API as a ``datetime-local`` input shows it; ``Form.moment`` is the way back."""
    return datetime.fromisoformat(text).astimezone(_zone(None)).strftime("%Y-%m-%dT%H:%M") if text else ""


def _zone(name: str | None) -> ZoneInfo:
    someone = person()
    return ZoneInfo(name or (someone.organization["time_zone"] if someone else "UTC"))
