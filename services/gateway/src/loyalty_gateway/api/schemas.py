"""What is sent and what is answered about accounts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from loyalty_common import fields
from loyalty_common.time_zones import TIME_ZONES
from loyalty_gateway.models.users import ROLES


class TimeZone(fields.Text):
    """An IANA name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in TIME_ZONES:
            raise ma.ValidationError("The :field field must be an IANA time zone such as America/New_York.")
        return text


class CountryCode(fields.Text):
    """ISO 3166-1 alpha-2, lower case accepted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern="[A-Za-z]{2}", **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).upper()


class OrganizationChanges(fields.Changes):
    name = fields.Text(required=True)
    currency = fields.CurrencyCode(required=True)
    country = CountryCode(required=True)
    time_zone = TimeZone(required=True)


class LocationFields(fields.Schema):
    name = fields.Text(required=True)
    time_zone = TimeZone(metadata={"description": "The organization's if left out."})


class LocationChanges(fields.Changes):
    name = fields.Text(required=True)
    time_zone = TimeZone(required=True)
    is_active = fields.Flag(required=True)


class Organization(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    country = ma.fields.String(required=True)
    time_zone = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": ["active", "suspended"]})
    created_at = ma.fields.DateTime(required=True)


class Plan(ma.Schema):
    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    developer_access = ma.fields.Boolean(required=True)
    requests_per_minute = ma.fields.Integer(required=True)


class CallingKey(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    scopes = ma.fields.List(ma.fields.String(), required=True)


class User(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    email = ma.fields.String(required=True)
    role = ma.fields.String(required=True, metadata={"enum": list(ROLES)})
    status = ma.fields.String(required=True, metadata={"enum": ["active", "invited", "disabled"]})
    last_signed_in_at = ma.fields.DateTime(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)


class Account(ma.Schema):
    organization = ma.fields.Nested(Organization, required=True)
    plan = ma.fields.Nested(Plan, required=True)
    mode = ma.fields.String(required=True, metadata={"enum": ["live", "test"]})
    api_key = ma.fields.Nested(CallingKey, required=True, allow_none=True)
    user = ma.fields.Nested(User, required=True, allow_none=True)


class PartnerLocation(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    time_zone = ma.fields.String(required=True)
    is_active = ma.fields.Boolean(required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)
