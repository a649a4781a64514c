"""List the members of a card, suspend them and let them back in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.api.points import Enrollment
from loyalty_programs.domain import enrollment_queries, queries, shapes, suspension

blueprint = Blueprint(
    "Enrollments", __name__, url_prefix="/v1/loyalty-cards/<id:card_id>/enrollments", description=__doc__
)

_STATUSES = ("active", "suspended")


class EnrollmentQuery(ListQuery):
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    status = fields.Choice(*_STATUSES)
    member_number = fields.Text(max_length=20)


class EnrollmentChanges(fields.Changes):
    # Required, so that null is refused: nobody is let back in by leaving something out.
    status = fields.Choice(*_STATUSES, required=True)


def check_exists(*, card_id: int, enrollment_id: int) -> None:
    """``NotFound`` for an enrollment that is not on this card of the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(enrollment_queries.enrollment(tx, card_id=card_id, enrollment_id=enrollment_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=Enrollment, query=EnrollmentQuery)
def list_enrollments(query: Mapping[str, Any], card_id: int) -> Response:
    """List the members of a card"""
    with edge.read() as tx:
        pagination.one_or_404(queries.loyalty_card(tx, card_id=card_id))
        return pagination.page_of(
            tx,
            enrollment_queries.members(card_id=card_id, filters=query),
            by=enrollment_queries.NEWEST,
            query=query,
            show=lambda row: shapes.enrollment(row._asdict()),
        )


@blueprint.route("/<id:enrollment_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: Enrollment})
def retrieve_enrollment(card_id: int, enrollment_id: int) -> Response:
    """Retrieve an enrollment"""
    with edge.read() as tx:
        row = pagination.one_or_404(enrollment_queries.enrollment(tx, card_id=card_id, enrollment_id=enrollment_id))
    return web.answer(shapes.enrollment(row._asdict()))


@blueprint.route("/<id:enrollment_id>", methods=["PATCH"])
@blueprint.operation("programs:write", body=EnrollmentChanges, answers={200: Enrollment})
def change_enrollment(sent: Mapping[str, Any], card_id: int, enrollment_id: int) -> Response:
    """Suspend a member, or end it

    Who is suspended can neither earn, redeem nor claim; reads and reversals stay possible.
    """
    return edge.write(
        lambda tx, act: suspension.update(tx, card_id=card_id, enrollment_id=enrollment_id, changes=sent, act=act)
    )
