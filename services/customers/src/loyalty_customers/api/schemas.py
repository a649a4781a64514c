"""What is sent and what is answered about customers."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma

from loyalty_common import fields
from loyalty_common.pagination import ListQuery

_IDS = re.compile(r"[0-9]{1,18}(,[0-9]{1,18}){0,99}", re.ASCII)


class Labels(fields.Field):
    """An object of at most 20 strings."""

    openapi = {  # noqa: RUF012
        "type": "object",
        "maxProperties": 20,
        "additionalProperties": {"type": "string", "maxLength": 500},
        "propertyNames": {"minLength": 1, "maxLength": 40},
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        fits = isinstance(value, dict) and len(value) <= 20
        if not fits or any(not isinstance(text, str) or len(text) > 500 for text in value.values()):
            raise ma.ValidationError("The :field field must be an object of at most 20 strings of 500 characters.")
        if any(not 1 <= len(name) <= 40 for name in value):
            raise ma.ValidationError("The :field field's names must have 1 to 40 characters.")
        return dict(value)


class Ids(fields.Field):
    """At most 100 ids, separated by commas."""

    openapi = {"type": "string", "pattern": r"^[0-9]{1,18}(,[0-9]{1,18}){0,99}$"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[int]:
        if not isinstance(value, str) or not _IDS.fullmatch(value):
            raise ma.ValidationError("The :field field must be at most 100 ids, separated by commas.")
        return [int(one) for one in value.split(",")]


class CustomerFields(fields.Schema):
    email = fields.Email(required=True)
    name = fields.Text()
    phone = fields.Text(max_length=40)
    external_id = fields.Text()
    metadata = Labels(load_default=dict)


class CustomerChanges(CustomerFields, fields.Changes):
    """``metadata`` is replaced as a whole."""


class CustomerQuery(ListQuery):
    search = fields.Text(max_length=100)
    updated_since = fields.Timestamp()
    external_id = fields.Text()
    email = fields.Email()
    ids = Ids(metadata={"description": "Those of a list that names its customers by their ids only, at once."})


class Customer(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True, allow_none=True)
    email = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "null only where a reply is repeated whose customer was erased since"},
    )
    phone = ma.fields.String(required=True, allow_none=True)
    external_id = ma.fields.String(required=True, allow_none=True)
    metadata = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


class ErasedCustomer(ma.Schema):
    id = ma.fields.Integer(required=True)
    erased_at = ma.fields.DateTime(required=True)
