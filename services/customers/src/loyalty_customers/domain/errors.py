"""Why this service refuses.

ValidationFailed                 (loyalty_common.errors)
├── PhoneNotPossible             the number cannot exist in its country
├── EmailTaken                   another customer of this tenant has it
├── ExternalIdTaken              another customer of this tenant has it
├── LoyaltyCardNotNamed          a customer of several loyalty cards has as many member numbers
├── FileUnreadable               an import of which nothing can be taken for certain
└── Refusal
    ├── AmbiguousIdentifier      several customers have this phone number
    └── CustomerNotEnrolled      who has no member number has no QR code
"""

from __future__ import annotations

from loyalty_common.errors import Refusal, ValidationFailed


class PhoneNotPossible(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"phone": ["The phone field must be a possible phone number, such as +15551234567."]})


class EmailTaken(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"email": ["The email field is taken by another customer."]})


class ExternalIdTaken(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"external_id": ["The external id field is taken by another customer."]})


class FileUnreadable(ValidationFailed):
    def __init__(self, sentence: str) -> None:
        super().__init__(details={"file": [sentence]})


class LoyaltyCardNotNamed(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The loyalty card id field is required: this customer is enrolled on several cards."
        super().__init__(details={"loyalty_card_id": [sentence]})


class AmbiguousIdentifier(Refusal):
    reason = "ambiguous_identifier"
    default_message = "Several customers have this phone number."

    def __init__(self) -> None:
        super().__init__(details={"identifier": ["The identifier field is the phone number of several customers."]})


class CustomerNotEnrolled(Refusal):
    reason = "customer_not_enrolled"

    def __init__(self, *, card_is_named: bool) -> None:
        super().__init__(
            f"This customer is not enrolled on {'this' if card_is_named else 'any'} loyalty card.",
            details={"loyalty_card_id": ["The customer is not enrolled on this card."]} if card_is_named else {},
        )
