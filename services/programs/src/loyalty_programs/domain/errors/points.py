"""Why a loyalty card, a membership or a balance says no; who and where a request may name."""

from __future__ import annotations

from datetime import date

from loyalty_common.errors import Forbidden, Refusal, ValidationFailed


class AdjustmentReserved(Forbidden):
    reason = "insufficient_role"
    default_message = "This needs the role manager: staff credits purchases."


class UnknownLocation(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The partner location does not exist in this organization."
        super().__init__(details={"partner_location_id": [sentence]})


class CustomersDiffer(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The customer email field names another customer than the customer id field."
        super().__init__(details={"customer_email": [sentence]})


class CardIdentifierTaken(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"card_identifier": ["The card identifier is taken by another loyalty card."]})


class EmptyWindow(ValidationFailed):
    def __init__(self, field: str, *, first: str) -> None:
        """``field``: the last day; ``first``: what the caller knows the first one as."""
        sentence = f"The {field.replace('_', ' ')} field must not be before the {first}."
        super().__init__(details={field: [sentence]})


class BalanceOutOfRange(ValidationFailed):
    def __init__(self, field: str, *, limit: int) -> None:
        super().__init__(details={field: [f"The points balance may not go beyond {limit}."]})


class CustomerNotFound(Refusal):
    reason = "customer_not_found"

    def __init__(self, field: str) -> None:
        """``field``: the one that the caller named the customer by."""
        message = "The customer does not exist."
        super().__init__(message, details={field: [message]})


class DuplicateReference(Refusal):
    reason = "duplicate_reference"

    def __init__(self, reference: str) -> None:
        message = f"The reference {reference} was used before, for another customer or amount."
        super().__init__(message, details={"reference": [message]})


class CardRefusal(Refusal):
    """The loyalty card is not valid for this."""


class CardInactive(CardRefusal):
    reason = "card_inactive"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not active.")


class CardNotYetValid(CardRefusal):
    reason = "card_not_yet_valid"

    def __init__(self, name: str, *, date_issued: date) -> None:
        super().__init__(f"{name} is valid from {date_issued}.")


class CardExpired(CardRefusal):
    reason = "card_expired"

    def __init__(self, name: str, *, expiry_date: date) -> None:
        super().__init__(f"{name} expired on {expiry_date}.")


class EnrollmentRefusal(Refusal):
    """The customer's enrollment does not allow this."""


class CustomerNotEnrolled(EnrollmentRefusal):
    reason = "customer_not_enrolled"
    default_message = "The customer is not enrolled on this loyalty card."


class EnrollmentSuspended(EnrollmentRefusal):
    reason = "enrollment_suspended"
    default_message = "The customer's enrollment on this loyalty card is suspended."


class EarnRefusal(Refusal):
    """The purchase earns nothing on this card, by its rule."""


class EarnRuleMissing(EarnRefusal):
    reason = "earn_rule_missing"
    default_message = "This loyalty card has no rule by which purchases earn points."


class CurrencyMismatch(EarnRefusal):
    reason = "currency_mismatch"

    def __init__(self, *, earn_currency: str) -> None:
        message = f"This loyalty card earns on purchases in {earn_currency}."
        super().__init__(message, details={"currency": [message]})


class InsufficientPoints(Refusal):
    reason = "insufficient_points"

    def __init__(self, *, points_balance: int, field: str | None = "points") -> None:
        """``field``: the one that would have to be smaller, if there is one."""
        message = f"The balance of {points_balance} points is not enough."
        super().__init__(message, details={field: [message]} if field else {})
