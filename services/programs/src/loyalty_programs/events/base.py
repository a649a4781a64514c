"""What every event has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

Shown = Mapping[str, Any]


class Event(Protocol):
    name: ClassVar[str]

    def data(self) -> dict[str, Any]: ...


def person(customer: Shown) -> dict[str, Any]:
    return {key: customer[key] for key in ("id", "name", "email", "phone")}
