"""Each location beside the others: a part of the home page, and a page of its own without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template

from loyalty_dashboard.views.home import span_asked
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.lists import listed
from loyalty_dashboard.web.together import together

blueprint = only_for("manager", Blueprint("comparison", __name__, url_prefix="/dashboard/locations/compared"))

_COLOURS = ("accent", "cool", "warm", "ok", "bad")


@blueprint.get("")
def locations() -> str:
    """A few at a time: more lines would not be told apart."""
    caller, span = api(), span_asked()
    answer = listed("/partner-locations", per_page=len(_COLOURS))
    places = answer.data
    found = together(lambda place: caller.get("/statistics", **span, partner_location_id=place["id"]).data, places)
    return render_template(
        "home/locations.html",
        answer=answer,
        compared=[(place, told["totals"]) for place, told in zip(places, found, strict=True)],
        series=[(str(place["id"]), place["name"], colour) for place, colour in zip(places, _COLOURS, strict=False)],
        rows=_side_by_side([str(place["id"]) for place in places], found),
    )


def _side_by_side(names: Sequence[str], found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Points earned, a column for each location."""
    rows: dict[str, dict[str, Any]] = {}
    for name, statistics in zip(names, found, strict=True):
        for bucket in statistics["buckets"]:
            rows.setdefault(bucket["date"], {"x": bucket["date"]})[name] = bucket["points_earned"]
    return list(rows.values())
