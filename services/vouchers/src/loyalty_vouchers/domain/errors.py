"""Why the vouchers service says no.

ValidationFailed                 a field that only the database can judge
├── CustomersDiffer              customer_id and customer_email name two people
├── VoucherCodeTaken
├── UnknownVoucherCode
├── UnknownLocation              the partner location is not one of the organization's
├── TooManyDecimals
├── CodesTooShort                so short that those of a batch could be guessed
└── CodesUsedUp                  most codes of this prefix and length are taken
Refusal                          a rule, each with its stable reason
├── CurrencyMismatch             currency_mismatch
├── CustomerNotFound             customer_not_found
├── DuplicateReference           duplicate_reference
├── MinimumOrderNotMet           minimum_order_not_met
├── VoucherAlreadyRedeemed       voucher_already_redeemed
├── VoucherExpired               voucher_expired
├── VoucherInactive              voucher_inactive
├── VoucherLimitReached          voucher_limit_reached
└── VoucherNotYetValid           voucher_not_yet_valid
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from loyalty_common.errors import Refusal, ValidationFailed
from loyalty_common.money import format_amount, minor_digits


class CustomersDiffer(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(
            details={"customer_email": ["The customer email field names another customer than customer id."]}
        )


class VoucherCodeTaken(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"voucher_code": ["The voucher code has already been taken."]})


class UnknownVoucherCode(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"voucher_code": ["The voucher code does not exist."]})


class UnknownLocation(ValidationFailed):
    """Unknown and another organization's look the same, so that nobody learns that it exists."""

    def __init__(self) -> None:
        sentence = "The partner location does not exist in this organization."
        super().__init__(details={"partner_location_id": [sentence]})


class TooManyDecimals(ValidationFailed):
    def __init__(self, field: str, *, currency: str) -> None:
        super().__init__(details={field: [decimals_sentence(field, currency)]})


def decimals_sentence(field: str, currency: str) -> str:
    digits = minor_digits(currency)
    return f"The {field.replace('_', ' ')} field may have at most {digits} decimals in {currency}."


class CodesTooShort(ValidationFailed):
    def __init__(self, code_length: int, *, quantity: int, enough: int) -> None:
        """``enough`` is the least length that would do."""
        sentence = f"Codes of {code_length} characters are too easily guessed for {quantity} vouchers: take {enough}."
        super().__init__(details={"code_length": [sentence]})


class CodesUsedUp(ValidationFailed):
    def __init__(self) -> None:
        sentence = "Most codes of this prefix and length are taken: take longer ones or another prefix."
        super().__init__(details={"code_length": [sentence]})


class CurrencyMismatch(Refusal):
    reason = "currency_mismatch"

    def __init__(self, currency: str) -> None:
        sentence = f"This voucher is in {currency}."
        super().__init__(sentence, details={"currency": [sentence]})


class CustomerNotFound(Refusal):
    reason = "customer_not_found"

    def __init__(self, field: str) -> None:
        """``field``: the one that the caller named the customer by."""
        sentence = "The customer does not exist."
        super().__init__(sentence, details={field: [sentence]})


class DuplicateReference(Refusal):
    reason = "duplicate_reference"

    def __init__(self) -> None:
        sentence = "This order reference was already used on this voucher for another customer or amount."
        super().__init__(sentence, details={"order_reference": [sentence]})


class MinimumOrderNotMet(Refusal):
    reason = "minimum_order_not_met"

    def __init__(self, minimum: Decimal, *, currency: str) -> None:
        sentence = f"This voucher needs an order of at least {format_amount(minimum, currency)} {currency}."
        super().__init__(sentence, details={"order_amount": [sentence]})


class VoucherAlreadyRedeemed(Refusal):
    reason = "voucher_already_redeemed"
    default_message = "This customer has redeemed this voucher as often as one customer may."


class VoucherExpired(Refusal):
    reason = "voucher_expired"

    def __init__(self, valid_until: date) -> None:
        super().__init__(f"This voucher expired on {valid_until}.")


class VoucherInactive(Refusal):
    reason = "voucher_inactive"
    default_message = "This voucher is not active."


class VoucherLimitReached(Refusal):
    reason = "voucher_limit_reached"
    default_message = "This voucher has been redeemed as often as it may be."


class VoucherNotYetValid(Refusal):
    reason = "voucher_not_yet_valid"

    def __init__(self, valid_from: date) -> None:
        super().__init__(f"This voucher is not valid before {valid_from}.")
