"""What the gateway refuses by itself, named after the rule.

ApiError
├── Unauthenticated             401
│   ├── NoCredentials           nothing that could be one of our keys
│   ├── SignInRefused           wrong e-mail or wrong password: nobody is told which
│   ├── SessionOver             ended, or too old; told only to whoever has the whole token
│   └── WrongKey                a key that is nobody's; counted against the address
│       ├── KeyRevoked          key_revoked
│       └── KeyExpired          key_expired
├── Forbidden                   403
│   ├── OrganizationSuspended   organization_suspended
│   ├── AddressNotAllowed       address_not_allowed
│   ├── PlanRequired            plan_required
│   ├── InsufficientScope       insufficient_scope
│   ├── ScopesExceedCaller      insufficient_scope  nobody gives a key more than he has
│   ├── ModeExceedsCaller
│   ├── InsufficientRole        insufficient_role
│   ├── RoleExceedsCaller       insufficient_scope  no key makes, changes or removes who may more than itself
│   ├── LiveModeRequired        users are those of both modes, so no key of the test mode manages them
│   ├── SessionRequired         a key was sent where only a signed-in user makes sense
│   └── SignUpClosed            organizations are founded by the operator
├── BadTarget                   400  a request target that no client of ours sends
├── CurrencyInUse               400  cards or vouchers count in it
├── KeyIsRevoked                400  key_revoked: it stays as it was
├── KeyIsExpired                400  key_expired: the same
├── KeyIsReplaced               400  was rotated before
├── ExpiryRefused               400  an end that is past, or later than a rotation said
├── EmailTaken                  400  by a user of whatever organization
├── LastOwner                   400  somebody must be left who may do everything
├── NotYetAccepted              400  who was invited becomes active by choosing a password
└── AccountRefused              of the commands: what was asked for cannot be made
"""

from __future__ import annotations

from collections.abc import Sequence

from loyalty_common.errors import Forbidden, Refusal, Unauthenticated, ValidationFailed


class NoCredentials(Unauthenticated):
    pass


class SignInRefused(Unauthenticated):
    default_message = "The e-mail address or the password is wrong."


class SessionOver(Unauthenticated):
    default_message = "This session is over: sign in again."


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


class AddressNotAllowed(Forbidden):
    reason = "address_not_allowed"
    default_message = "This key may not be used from this address."


class ScopesExceedCaller(Forbidden):
    reason = "insufficient_scope"

    def __init__(self, scopes: Sequence[str]) -> None:
        sentence = f"The scopes field may hold only what the caller may do itself, and not {', '.join(scopes)}."
        super().__init__("A key cannot get more than the caller has.", details={"scopes": [sentence]})


class ModeExceedsCaller(Forbidden):
    def __init__(self, mode: str) -> None:
        sentence = f"The mode field may not be {mode} when the caller's key is one of the test mode."
        super().__init__("A key cannot get more than the caller has.", details={"mode": [sentence]})


class InsufficientRole(Forbidden):
    reason = "insufficient_role"

    def __init__(self, role: str) -> None:
        super().__init__(f"This needs the role {role}.")


class RoleExceedsCaller(Forbidden):
    reason = "insufficient_scope"

    def __init__(self, role: str, *fields: str) -> None:
        """``fields``: those of the request that name this role."""
        sentence = f"The role {role} includes more than the caller may do itself."
        super().__init__(sentence, details={field: [sentence] for field in fields})


class LiveModeRequired(Forbidden):
    default_message = "Users are managed in the live mode."


class SessionRequired(Forbidden):
    default_message = "This is for signed-in users: an API key has no session."


class SignUpClosed(Forbidden):
    default_message = "New organizations are not taken in here by themselves."


class BadTarget(ValidationFailed):
    default_message = "The request target could not be read."


class CurrencyInUse(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The currency field can be changed only while there is no loyalty card and no voucher."
        super().__init__(details={"currency": [sentence]})


class KeyIsRevoked(Refusal):
    reason = "key_revoked"
    default_message = "This API key was revoked and stays as it was."


class KeyIsExpired(Refusal):
    reason = "key_expired"
    default_message = "This API key has expired and stays as it was."


class KeyIsReplaced(Refusal):
    default_message = "This API key was rotated before: rotate the key that replaced it."


class ExpiryRefused(Refusal):
    def __init__(self, sentence: str) -> None:
        super().__init__(details={"expires_at": [sentence]})


class EmailTaken(ValidationFailed):
    def __init__(self, field: str = "email") -> None:
        super().__init__(details={field: ["The email has already been taken."]})


class LastOwner(ValidationFailed):
    default_message = "An organization must keep one active owner."

    def __init__(self, *fields: str) -> None:
        super().__init__(self.default_message, details={field: [self.default_message] for field in fields})


class NotYetAccepted(ValidationFailed):
    def __init__(self) -> None:
        sentence = "The status field can become active only by accepting the invitation."
        super().__init__(details={"status": [sentence]})


class AccountRefused(Exception):
    """Shown to whoever typed the command."""
