"""How the program is doing; and for who has nothing yet, what to do first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template, request

from loyalty_dashboard.web import sessions
from loyalty_dashboard.web.access import may
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.places import Places
from loyalty_dashboard.web.together import together

blueprint = Blueprint("home", __name__, url_prefix="/dashboard")

# Days that a span looks back, and how its figures are gathered.
_SPANS = {"7": (6, "day"), "30": (29, "day"), "90": (89, "week"), "365": (364, "month")}
_FEW = 5


@blueprint.get("")
def home() -> Response:
    if not may("manager"):
        return see("counter.counter")
    statistics = api().get("/statistics", **span_asked(), partner_location_id=_place()).data
    totals = statistics["totals"]
    steps = _first_steps(totals) if _place() is None else []
    if steps:
        return make_response(render_template("home/first_steps.html", steps=steps))
    return make_response(render_template("home/home.html", totals=totals, rows=_rows(statistics), places=Places()))


def span_asked() -> dict[str, str]:
    """What the statistics are asked for, as the address says it."""
    days, interval = _SPANS.get(request.args.get("days", ""), _SPANS["30"])
    someone = sessions.person()
    zone = ZoneInfo(someone.organization["time_zone"] if someone else "UTC")
    today = datetime.now(zone).date()
    return {"from": (today - timedelta(days=days)).isoformat(), "to": today.isoformat(), "interval": interval}


def _place() -> str | None:
    return request.args.get("location") or None


def _rows(statistics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The buckets, with the number of members at the end of each."""
    members = statistics["totals"]["members"]
    rows = []
    for bucket in reversed(statistics["buckets"]):
        rows.append({"x": bucket["date"], "members": members, **bucket})
        members -= bucket["new_members"]
    return rows[::-1]


def _first_steps(totals: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What an account begins with and whether it is done; nothing once something was bought."""
    if totals["members"] > _FEW or totals["stamps_issued"] or totals["vouchers_redeemed"]:
        return []
    caller = api()

    def newest(path: str) -> list[Any]:
        found: list[Any] = caller.get(path, per_page=_FEW).data
        return found

    def is_used(card: Mapping[str, Any]) -> bool:
        return bool(caller.get(f"/loyalty-cards/{card['id']}/transactions", type="earn", per_page=1).data)

    cards, stamp_cards, customers = together(newest, ("/loyalty-cards", "/stamp-cards", "/customers"))
    if any(together(is_used, cards)):
        return []
    return [("card", bool(cards or stamp_cards)), ("customer", bool(customers)), ("purchase", False)]
