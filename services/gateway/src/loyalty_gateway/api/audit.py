"""Who changed what in the account, when and from where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_gateway.api import edge
from loyalty_gateway.api.key_schemas import Actor
from loyalty_gateway.domain import audit
from loyalty_gateway.domain.actors import ACTOR_TYPES
from loyalty_gateway.models import AuditEntry as Entry

_YEARS = range(1970, 3000)
_DATE, _TIME = fields.Date(), fields.Timestamp()

blueprint = Blueprint("Audit log", __name__, url_prefix="/v1/audit-log", description=__doc__)


class DateOrTime(fields.Field):
    """A moment, or a date that means the whole day in the organization's time zone."""

    openapi = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date | datetime:
        kind = _DATE if isinstance(value, str) and len(value) == len("2026-05-16") else _TIME
        moment: date | datetime = kind._deserialize(value, attr, data, **kwargs)
        if moment.year not in _YEARS:
            raise ma.ValidationError("The :field field must be a time between 1970 and 2999.")
        return moment


class AuditQuery(ListQuery):
    actor_type = fields.Choice(*ACTOR_TYPES)
    action = fields.Text(metadata={"description": "Such as api_key.revoked."})
    first = DateOrTime(data_key="from")
    last = DateOrTime(data_key="to")


class Subject(ma.Schema):
    type = ma.fields.String(required=True)
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)


class AuditEntry(ma.Schema):
    id = ma.fields.Integer(required=True)
    action = ma.fields.String(required=True)
    actor = ma.fields.Nested(Actor, required=True)
    subject = ma.fields.Nested(Subject, required=True)
    changes = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.Raw(allow_none=True)),
        required=True,
        metadata={"description": "The old and the new value of each field."},
    )
    ip_address = ma.fields.String(required=True, allow_none=True)
    request_id = ma.fields.String(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)


@blueprint.route("", methods=["GET"])
@blueprint.listing("account:read", of=AuditEntry, query=AuditQuery)
def list_audit_log(query: Mapping[str, Any]) -> Response:
    """List the audit log

    It is the organization's: both modes see the same.
    """
    organization = web.current_call().organization
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            audit.matching(organization.id, query, time_zone=organization.time_zone),
            by=(Entry.created_at, Entry.id),
            query=query,
            show=audit.shape,
        )
