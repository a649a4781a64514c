"""For the gateway: whether a tenant has anything yet that counts in its organization's currency."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import bindparam, exists, select

from loyalty_common import web
from loyalty_programs.api import edge
from loyalty_programs.models import loyalty_cards

blueprint = Blueprint("internal_usage", __name__, url_prefix="/internal")

_ANY_CARD = select(exists().where(loyalty_cards.c.tenant_id == bindparam("tenant_id")))


@blueprint.get("/usage")
def usage() -> Response:
    with edge.read() as tx:
        return web.answer({"loyalty_cards": tx.execute(_ANY_CARD).scalar_one()})
