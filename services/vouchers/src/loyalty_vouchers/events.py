"""Facts that this service publishes, in the past tense. Contracts: ``contracts/events/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRedeemed:
    """A voucher was redeemed for a customer; ``redemption`` is the object that the API returned."""

    name: ClassVar = "voucher.redeemed"
    redemption: Mapping[str, Any]
    voucher_name: str
    discount_type: str
    discount_value: str
    customer: Mapping[str, Any]

    def data(self) -> dict[str, Any]:
        return {
            **self.redemption,
            "voucher_name": self.voucher_name,
            "discount_type": self.discount_type,
            "discount_value": self.discount_value,
            "customer": _person(self.customer),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRolledBack:
    """A redemption was undone, by ``source``; ``customer`` is the whole profile."""

    name: ClassVar = "customer.updated"
    redemption: Mapping[str, Any]
    customer: Mapping[str, Any]
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.customer,
            "customer": _person(self.customer),
            "source": self.source,
            "changed": ["voucher_redemption"],
            "enrollment": None,
            "transaction": None,
            "stamp_transactions": None,
            "voucher_redemption": self.redemption,
            "erased_at": None,
        }


def _person(customer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: customer[key] for key in ("id", "name", "email", "phone")}
