"""What is sent and what is answered about users and their sessions."""

from __future__ import annotations

import unicodedata
from typing import Any

import marshmallow as ma

from loyalty_common import fields
from loyalty_gateway.api.schemas import CountryCode, Organization, PartnerLocation, TimeZone, User
from loyalty_gateway.domain import passwords
from loyalty_gateway.models.base import MODES
from loyalty_gateway.models.users import ROLES

_NESTED: dict[str, Any] = {
    "required": "The :field field is required.",
    "null": "The :field field is required.",
    "type": "The :field field must be an object.",
}


class Password(fields.Field):
    """As it was typed: never trimmed. ``shortest``: of one that is chosen."""

    openapi = {"type": "string", "format": "password", "maxLength": passwords.LONGEST}  # noqa: RUF012

    def __init__(self, *, shortest: int = 1) -> None:
        self._shortest = shortest
        super().__init__(required=True, openapi={"minLength": shortest})

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        # Past the parent, which trims.
        return ma.fields.Field.deserialize(self, value, attr, data, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ma.ValidationError("The :field field must be a string.")
        if not self._shortest <= len(unicodedata.normalize("NFC", value)) <= passwords.LONGEST:
            raise ma.ValidationError(f"The :field field must have {self._shortest} to {passwords.LONGEST} characters.")
        return value


class Credentials(fields.Schema):
    email = fields.Email(required=True)
    password = Password()
    mode = fields.Choice(*MODES, load_default="live")


class Renewal(fields.Schema):
    may_be_absent = True
    mode = fields.Choice(*MODES, metadata={"description": "The session's own if left out."})


class ResetRequest(fields.Schema):
    email = fields.Email(required=True)


class NewPassword(fields.Schema):
    password = Password(shortest=passwords.SHORTEST)


class UserFields(fields.Schema):
    name = fields.Text(required=True)
    email = fields.Email(required=True)
    role = fields.Choice(*ROLES, required=True)


class UserChanges(fields.Changes):
    name = fields.Text(required=True)
    email = fields.Email(required=True)
    role = fields.Choice(*ROLES, required=True)
    status = fields.Choice("active", "disabled", required=True)


class Founder(fields.Schema):
    name = fields.Text(required=True)
    email = fields.Email(required=True)


class FirstLocation(fields.Schema):
    name = fields.Text(required=True)
    time_zone = TimeZone(metadata={"description": "The organization's if left out."})


class SignUp(fields.Schema):
    name = fields.Text(required=True)
    currency = fields.CurrencyCode(required=True)
    country = CountryCode(required=True)
    time_zone = TimeZone(required=True)
    owner = ma.fields.Nested(Founder, required=True, error_messages=_NESTED)
    partner_location = ma.fields.Nested(FirstLocation, required=True, error_messages=_NESTED)


class DeletedUser(ma.Schema):
    id = ma.fields.Integer(required=True)
    deleted_at = ma.fields.DateTime(required=True)


class Session(ma.Schema):
    token = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Shown once: null where a request is repeated."}
    )
    expires_at = ma.fields.DateTime(required=True)
    mode = ma.fields.String(required=True, metadata={"enum": list(MODES)})
    user = ma.fields.Nested(User, required=True)
    organization = ma.fields.Nested(Organization, required=True)


class EndedSession(ma.Schema):
    ended_at = ma.fields.DateTime(required=True)


class Sent(ma.Schema):
    sent = ma.fields.Boolean(required=True)


class Founded(ma.Schema):
    organization = ma.fields.Nested(Organization, required=True)
    user = ma.fields.Nested(User, required=True)
    partner_location = ma.fields.Nested(PartnerLocation, required=True)
