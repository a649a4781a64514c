"""Why a row of the points' or the stamps' ledger cannot be reversed, or not so far."""

from __future__ import annotations

from decimal import Decimal

from loyalty_common.errors import Refusal, ValidationFailed
from loyalty_common.money import format_amount, minor_digits


class OnlyWhole(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"amount": ["The amount field is for purchases: all else is reversed as a whole."]})


class TooManyDecimals(ValidationFailed):
    def __init__(self, *, currency: str) -> None:
        sentence = f"The amount field may have at most {minor_digits(currency)} decimals in {currency}."
        super().__init__(details={"amount": [sentence]})


class ReversalRefusal(Refusal):
    """The transaction does not allow this reversal."""


class NotReversible(ReversalRefusal):
    """Raised with the sentence that says why."""

    reason = "not_reversible"


class AlreadyReversed(ReversalRefusal):
    reason = "already_reversed"
    default_message = "This transaction was reversed already."


class RefundExceedsPurchase(ReversalRefusal):
    reason = "refund_exceeds_purchase"

    def __init__(self, *, amount_left: Decimal, currency: str) -> None:
        message = f"Of this purchase {format_amount(amount_left, currency)} {currency} are left to be refunded."
        super().__init__(message, details={"amount": [message]})
