"""Why this service refuses.

ValidationFailed                 (loyalty_common.errors)
├── PhoneNotPossible             the number cannot exist in its country
├── EmailTaken                   another customer of this tenant has it
└── ExternalIdTaken              another customer of this tenant has it
"""

from __future__ import annotations

from loyalty_common.errors import ValidationFailed


class PhoneNotPossible(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"phone": ["The phone field must be a possible phone number, such as +15551234567."]})


class EmailTaken(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"email": ["The email field is taken by another customer."]})


class ExternalIdTaken(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"external_id": ["The external id field is taken by another customer."]})
