"""Organizations that come by themselves, where the operator lets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from flask import Response, current_app
from sqlalchemy import Connection

from loyalty_common import database, web
from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_gateway.api import edge
from loyalty_gateway.api.user_schemas import Founded, SignUp
from loyalty_gateway.domain import founding
from loyalty_gateway.domain.actors import SYSTEM, Actor
from loyalty_gateway.domain.errors import EmailTaken, SignUpClosed
from loyalty_gateway.domain.replies import once

_SIGN_UP = Actor(SYSTEM, None, "Sign-up")

blueprint = Blueprint("Organizations", __name__, url_prefix="/v1/organizations", description=__doc__)


@blueprint.route("", methods=["POST"])
@blueprint.operation(None, body=SignUp, answers={201: Founded}, caller="anyone")
def found_organization(sent: Mapping[str, Any]) -> Response:
    """Sign an organization up

    With its first location, and an owner who gets a link to choose a password: so the address is known to be his.
    403 where sign-up is closed.
    """
    plan_code = current_app.extensions["sign_up_plan"]
    if plan_code is None:
        raise SignUpClosed
    edge.visitors().sign_up(address=edge.client_address())
    call, key = web.current_call(), web.request_key()

    def found(connection: Connection) -> Reply:
        """There is no tenant yet to keep a reply by; a repetition finds the one of the owner's address."""
        tenant_id = founding.tenant_of(connection, sent["owner"]["email"])
        if tenant_id is not None:
            return once(Transaction(connection, tenant_id), key, _taken, at=call.now)
        made = founding.found(connection, **sent, plan_code=plan_code, occasion=edge.occasion_of(_SIGN_UP))
        return once(Transaction(connection, made.tenant_id), key, lambda: Reply(201, made.shown), at=call.now)

    return web.respond(database.perform(edge.engine(), 0, lambda tx: found(tx.connection)))


def _taken() -> NoReturn:
    raise EmailTaken("owner.email")
