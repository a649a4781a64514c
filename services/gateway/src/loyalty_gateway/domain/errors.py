"""What the gateway refuses by itself, named after the rule.

ApiError
├── Unauthenticated             401
│   ├── NoCredentials           nothing that could be one of our keys
│   └── WrongKey                a key that is nobody's; counted against the address
│       ├── KeyRevoked          key_revoked
│       └── KeyExpired          key_expired
├── Forbidden                   403
│   ├── OrganizationSuspended   organization_suspended
│   ├── PlanRequired            plan_required
│   └── InsufficientScope       insufficient_scope
├── BadTarget                   400  a request target that no client of ours sends
├── CurrencyInUse               400  cards or vouchers count in it
└── AccountRefused              of the commands: what was asked for cannot be made
"""

from __future__ import annotations

from loyalty_common.errors import Forbidden, Unauthenticated, ValidationFailed


class NoCredentials(Unauthenticated):
    pass


class WrongKey(Unauthenticated):
    pass


class KeyRevoked(WrongKey):
    reason = "key_revoked"
    default_message = "This API key was revoked."


class KeyExpired(WrongKey):
    reason = "key_expired"
    default_message = "This API key has expired."


class OrganizationSuspended(Forbidden):
    reason = "organization_suspended"
    default_message = "This organization is suspended."


class PlanRequired(Forbidden):
    reason = "plan_required"
    default_message = "The plan of this organization does not include Developer access."


class InsufficientScope(Forbidden):
    reason = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This key lacks the scope {scope}.")


class BadTarget(ValidationFailed):
    default_message = "The request target could not be read."


class CurrencyInUse(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The currency field can be changed only while there is no loyalty card and no voucher."
        super().__init__(details={"currency": [sentence]})


class AccountRefused(Exception):
    """Shown to whoever typed the command."""
