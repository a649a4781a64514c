"""Facts about memberships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from loyalty_programs.events.base import Shown, person


@dataclass(frozen=True, slots=True)
class EnrollmentChanged:
    """A member was suspended, or let back in."""

    name: ClassVar[str] = "customer.updated"
    enrollment: Shown
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.customer,
            "customer": person(self.customer),
            "source": self.source,
            "changed": ["enrollment.status"],
            "enrollment": self.enrollment,
            "transaction": None,
            "stamp_transactions": None,
            "voucher_redemption": None,
            "erased_at": None,
        }
