"""Why a reconciliation says no."""

from __future__ import annotations

from collections.abc import Iterable

from loyalty_common.errors import ValidationFailed


class EntryCustomersDiffer(ValidationFailed):
    def __init__(self, positions: Iterable[int]) -> None:
        sentence = "The customer email field names another customer than the customer id field."
        super().__init__(details={f"entries.{position}.customer_email": [sentence] for position in positions})


class WindowTooFull(ValidationFailed):
    def __init__(self, *, limit: int) -> None:
        sentence = f"The ledger holds more than {limit} other purchases before then: choose a shorter window."
        super().__init__(details={"to": [sentence]})
