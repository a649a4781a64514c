"""For the suite's own services: the customer that a directory misses."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from loyalty_common import database, fields, pagination, web
from loyalty_common.envelope import timestamp
from loyalty_common.errors import ValidationFailed
from loyalty_customers.domain import queries

blueprint = Blueprint("internal", __name__, url_prefix="/internal")


class _Wanted(fields.Schema):
    customer_id = fields.Identifier()
    email = fields.Text()


@blueprint.get("/customers")
def find_customer() -> Response:
    """``?customer_id=`` or ``?email=`` → ``{customer, customer_id, version, erased_at}``; customer null once erased."""
    wanted = _Wanted().load(request.args.to_dict())
    if (wanted["customer_id"] is None) == (wanted["email"] is None):
        raise ValidationFailed("Name either customer_id or email.")
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        row = pagination.one_or_404(queries.for_directory(tx, **wanted))
    erased_at = timestamp(row.erased_at) if row.erased_at else None
    customer = None if erased_at else queries.shown(row)
    return web.answer({"customer": customer, "customer_id": row.id, "version": row.version, "erased_at": erased_at})
