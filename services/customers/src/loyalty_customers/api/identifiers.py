"""Find the customer whom an e-mail, a phone, a member number or its QR code identifies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma
from flask import Response, current_app
from sqlalchemy import Row

from loyalty_common import database, fields, pagination, web
from loyalty_common.database import Transaction
from loyalty_common.openapi import Blueprint
from loyalty_common.service_client import ServiceClient
from loyalty_customers.api.schemas import Customer
from loyalty_customers.domain import identifiers, qr_codes, queries
from loyalty_customers.domain.errors import CustomerNotEnrolled, LoyaltyCardNotNamed

blueprint = Blueprint("Identifiers", __name__, url_prefix="/v1/customers", description=__doc__)

_UNESCAPED_PLUS = re.compile(r" [0-9][0-9 ]*", re.ASCII)


class _Identifier(fields.Text):
    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        # A query string turns the plus sign of a phone number into a space.
        if isinstance(value, str) and _UNESCAPED_PLUS.fullmatch(value):
            value = f"+{value[1:]}"
        return super().deserialize(value, attr, data, **kwargs)


class LookupQuery(fields.Schema):
    identifier = _Identifier(
        required=True, metadata={"description": "An e-mail, a phone, a member number or the text of its QR code."}
    )


class QrQuery(fields.Schema):
    format = fields.Choice(*qr_codes.MEDIA_TYPES, load_default="svg")
    loyalty_card_id = fields.Identifier(
        metadata={"description": "May be left out for a customer of one loyalty card only."}
    )


class Enrollment(ma.Schema):
    id = ma.fields.Integer(required=True)
    customer_id = ma.fields.Integer(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    member_number = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": ["active", "suspended"]})
    points_balance = ma.fields.Integer(required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


class IdentifiedCustomer(Customer):
    matched_by = ma.fields.String(required=True, metadata={"enum": ["email", "phone", "member_number", "qr"]})
    enrollment = ma.fields.Nested(
        Enrollment,
        required=True,
        allow_none=True,
        metadata={"description": "That of the member number; null where another kind of identifier matched."},
    )


@blueprint.route("/lookup", methods=["GET"])
@blueprint.operation("customers:read", query=LookupQuery, answers={200: IdentifiedCustomer})
def look_up_customer(query: Mapping[str, Any]) -> Response:
    """Look a customer up by what he shows at the till

    A phone number that several customers have is answered 400 ambiguous_identifier.
    """
    identifier = query["identifier"]
    enrollment = _enrollment_of(identifier)
    if enrollment is not None:
        matched_by = "qr" if identifiers.is_qr(identifier) else "member_number"
        row = _the_one(lambda tx: queries.by_id(tx, customer_id=enrollment["customer_id"]))
    elif "@" in identifier:
        matched_by, row = "email", _the_one(lambda tx: queries.by_email(tx, email=identifier))
    else:
        country = web.current_call().organization.country
        matched_by = "phone"
        row = _the_one(lambda tx: queries.by_phone(tx, phone=identifier, country=country))
    return web.answer({**queries.shown(row), "matched_by": matched_by, "enrollment": enrollment})


@blueprint.route("/<id:customer_id>/qr", methods=["GET"])
@blueprint.download("customers:read", media_types=list(qr_codes.MEDIA_TYPES.values()), query=QrQuery)
def show_qr_code(query: Mapping[str, Any], customer_id: int) -> Response:
    """Show a customer's member number as a QR code"""
    _the_one(lambda tx: queries.by_id(tx, customer_id=customer_id))
    card_id = query["loyalty_card_id"]
    enrollments = _enrollments(customer_id=customer_id, **({"loyalty_card_id": card_id} if card_id else {}))
    if not enrollments:
        raise CustomerNotEnrolled(card_is_named=card_id is not None)
    if len(enrollments) > 1:
        raise LoyaltyCardNotNamed
    kind = query["format"]
    picture = qr_codes.picture(enrollments[0]["member_number"], kind=kind)
    return Response(picture, content_type=qr_codes.MEDIA_TYPES[kind])


def _the_one(find: Callable[[Transaction], Row[Any] | None]) -> Row[Any]:
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        return pagination.one_or_404(find(tx))


def _enrollment_of(identifier: str) -> dict[str, Any] | None:
    """That of a member number, if ``identifier`` can be one and is; twelve digits may also be a phone number."""
    number = identifiers.member_number(identifier)
    return next(iter(_enrollments(member_number=number)), None) if number is not None else None


def _enrollments(**wanted: Any) -> list[dict[str, Any]]:
    """As programs has them. To be asked outside any transaction."""
    programs: ServiceClient = current_app.extensions["programs"]
    found = programs.get("/internal/enrollments", tenant_id=web.current_call().tenant_id, params=wanted)
    return list(found["enrollments"]) if found else []
