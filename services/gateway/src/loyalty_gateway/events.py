"""Facts that the gateway publishes, in the past tense. Names under ``internal.`` never reach an integrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class LocationUpdated:
    """A location came into being or changed. ``location`` is its public shape."""

    name: ClassVar = "internal.location_updated"
    organization_id: int
    location: Mapping[str, Any]
    version: int

    def data(self) -> dict[str, Any]:
        return {**self.location, "organization_id": self.organization_id}
