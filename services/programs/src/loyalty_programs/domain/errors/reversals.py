"""Why a ledger row cannot be reversed, or not so far."""

from __future__ import annotations

from decimal import Decimal

from loyalty_common.errors import Refusal, ValidationFailed
from loyalty_common.money import format_amount, minor_digits

_WHY_NOT = {
    "expire": "Points that expired are not given back.",
    "reverse": "A reversal cannot be reversed.",
    "redeem": "The points of a claim come back when the claim is cancelled.",
}


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
    reason = "not_reversible"

    def __init__(self, kind: str) -> None:
        super().__init__(_WHY_NOT[kind])


class AlreadyReversed(ReversalRefusal):
    reason = "already_reversed"
    default_message = "This transaction was reversed already."


class RefundExceedsPurchase(ReversalRefusal):
    reason = "refund_exceeds_purchase"

    def __init__(self, *, amount_left: Decimal, currency: str) -> None:
        message = f"Of this purchase {format_amount(amount_left, currency)} {currency} are left to be refunded."
        super().__init__(message, details={"amount": [message]})
