"""Facts that this service publishes, in the past tense. Contracts: ``contracts/events/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class CustomerCreated:
    """A profile came into being. ``customer`` is the object that the API returned."""

    name: ClassVar = "customer.created"
    customer: Mapping[str, Any]
    source: str

    def data(self) -> dict[str, Any]:
        person = {key: self.customer[key] for key in ("id", "name", "email", "phone")}
        return {**self.customer, "customer": person, "source": self.source}
