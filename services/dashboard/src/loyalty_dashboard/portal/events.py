"""Events as ``contracts/events`` describes them, one file each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loyalty_dashboard.portal import literals
from loyalty_dashboard.portal.schemas import Field, Schemas

# As the reference lists them; what is newer follows by name.
_ORDER = (
    "customer.created",
    "customer.updated",
    "loyalty.enrolled",
    "loyalty.points_earned",
    "loyalty.points_redeemed",
    "loyalty.reward_claimed",
    "stamp.issued",
    "stamp.reward_fulfilled",
    "voucher.redeemed",
    "referral.completed",
)


@dataclass(frozen=True)
class Event:
    """``fields`` are those of ``data``; ``payloads`` are whole deliveries, the usual one first."""

    name: str
    description: str
    fields: tuple[Field, ...]
    payloads: tuple[Mapping[str, Any], ...]


def read_events(folder: Path) -> tuple[Event, ...]:
    found = [_event(literals.read_json(path.read_text(encoding="utf-8"))) for path in folder.glob("*.json")]
    known = {name: place for place, name in enumerate(_ORDER)}
    return tuple(sorted(found, key=lambda event: (known.get(event.name, len(known)), event.name)))


def _event(contract: dict[str, Any]) -> Event:
    # Schemas looks names up where the OpenAPI has them.
    text = literals.compact({key: value for key, value in contract.items() if key != "examples"})
    body = literals.read_json(text.replace("#/$defs/", "#/components/schemas/"))
    definitions = {"components": {"schemas": body.get("$defs", {})}}
    return Event(
        name=contract["title"],
        description=contract.get("description", ""),
        fields=Schemas(definitions).fields(body["properties"]["data"]),
        payloads=tuple(contract["examples"]),
    )
