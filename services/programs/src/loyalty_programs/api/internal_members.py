"""For the customers service: the enrollments behind a member number, or those of a customer."""

from __future__ import annotations

from flask import Blueprint, Response, request

from loyalty_common import fields, web
from loyalty_common.errors import ValidationFailed
from loyalty_programs.api import edge
from loyalty_programs.domain import memberships, shapes

blueprint = Blueprint("internal_members", __name__, url_prefix="/internal")


class _Wanted(fields.Schema):
    member_number = fields.Text()
    customer_id = fields.Identifier()
    loyalty_card_id = fields.Identifier()


@blueprint.get("/enrollments")
def find_enrollments() -> Response:
    """``?member_number=`` or ``?customer_id=[&loyalty_card_id=]`` → ``{enrollments}``, an empty list for nobody's."""
    wanted = _Wanted().load(request.args.to_dict())
    member_number = wanted.pop("member_number")
    if (member_number is None) == (wanted["customer_id"] is None):
        raise ValidationFailed("Name either member_number or customer_id.")
    with edge.read() as tx:
        if member_number is not None:
            found = memberships.of_number(tx, member_number=member_number)
        else:
            found = memberships.of_customer(tx, **wanted)
    return web.answer({"enrollments": [shapes.enrollment(row._asdict()) for row in found]})
