"""Facts that this service publishes, in the past tense. Contracts: ``contracts/events/``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class CustomerCreated:
    """A profile came into being. ``customer`` is the object that the API returned."""

    name: ClassVar = "customer.created"
    customer: Mapping[str, Any]
    source: str

    def data(self) -> dict[str, Any]:
        return {**self.customer, "customer": _person(self.customer), "source": self.source}


@dataclass(frozen=True, slots=True)
class CustomerErased:
    """A person is to be forgotten everywhere. ``customer`` is the object with all that was his as null."""

    name: ClassVar = "customer.updated"
    customer: Mapping[str, Any]
    source: str
    erased_at: str

    def data(self) -> dict[str, Any]:
        return {
            **self.customer,
            "customer": _person(self.customer),
            "source": self.source,
            "changed": ["erased_at"],
            **dict.fromkeys(("enrollment", "transaction", "stamp_transactions", "voucher_redemption")),
            "erased_at": self.erased_at,
        }


@dataclass(frozen=True, slots=True)
class CustomerUpdated:
    """A profile was changed; ``changed`` names its fields that are different now."""

    name: ClassVar = "customer.updated"
    customer: Mapping[str, Any]
    changed: Sequence[str]
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.customer,
            "customer": _person(self.customer),
            "source": self.source,
            "changed": self.changed,
            "enrollment": None,
            "transaction": None,
            "stamp_transactions": None,
            "voucher_redemption": None,
            "erased_at": None,
        }


def _person(customer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: customer[key] for key in ("id", "name", "email", "phone")}
