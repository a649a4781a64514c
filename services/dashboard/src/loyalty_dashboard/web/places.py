"""Locations of the organization, as forms and lists need them. For managers: the API tells nobody else."""

from __future__ import annotations

from typing import Any

from loyalty_dashboard.web.access import may
from loyalty_dashboard.web.lists import everything


class Places:
    """``choices`` for a select; ``zone`` and ``name`` by id, None for what is unknown."""

    def __init__(self) -> None:
        self.all = list(everything("/partner-locations")) if may("manager") else []
        self._by_id: dict[int | None, dict[str, Any]] = {place["id"]: place for place in self.all}

    @property
    def choices(self) -> list[tuple[int, str]]:
        return [(place["id"], place["name"]) for place in self.all]

    def zone(self, place_id: int | None) -> str | None:
        return self._by_id[place_id]["time_zone"] if place_id in self._by_id else None

    def name(self, place_id: int | None) -> str | None:
        return self._by_id[place_id]["name"] if place_id in self._by_id else None
