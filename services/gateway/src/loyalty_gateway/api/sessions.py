"""Signing in with e-mail and password. The token stands in place of an API key, for an hour, and can be renewed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Response, current_app
from sqlalchemy import RowMapping

from loyalty_common import web
from loyalty_common.errors import Unauthenticated
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_gateway.api import edge
from loyalty_gateway.api.user_schemas import Credentials, EndedSession, Renewal, Session
from loyalty_gateway.domain import keys, organizations, passwords, sessions, users
from loyalty_gateway.domain.actors import USER, Actor
from loyalty_gateway.domain.errors import SignInRefused
from loyalty_gateway.domain.sessions import Minted

_log = structlog.get_logger()

blueprint = Blueprint("Sessions", __name__, url_prefix="/v1/sessions", description=__doc__)


@blueprint.route("", methods=["POST"])
@blueprint.operation(None, body=Credentials, answers={201: Session}, caller="anyone")
def sign_in(sent: Mapping[str, Any]) -> Response:
    """Sign in

    A wrong e-mail address and a wrong password are answered alike. Of one account and from one client address only so
    many attempts are taken. The session lives for 60 minutes.
    """
    edge.visitors().sign_in(email=sent["email"], address=edge.client_address())
    known = _checked(sent["email"], sent["password"])
    with edge.engine().connect() as connection:
        tenant_id = organizations.tenant_of(connection, known["organization_id"], mode=sent["mode"])
    user = Actor(USER, known["id"], known["name"])
    return edge.credentials(
        tenant_id,
        lambda connection: sessions.sign_in(
            connection, known, mode=sent["mode"], minted=_minted(), occasion=edge.occasion_of(user)
        ),
    )


@blueprint.route("/current/renew", methods=["POST"])
@blueprint.operation(None, body=Renewal, answers={201: Session}, caller="session")
def renew_session(sent: Mapping[str, Any]) -> Response:
    """Renew the session

    Answers a new token; the old one ends. `mode` switches between live and test. No later than 12 hours after signing
    in, one has to sign in again.
    """
    call, session_id = web.current_call(), _session_id()
    return edge.credentials(
        call.tenant_id,
        lambda connection: sessions.renew(
            connection, session_id, mode=sent["mode"], minted=_minted(), occasion=edge.occasion(connection)
        ),
    )


@blueprint.route("/current", methods=["DELETE"])
@blueprint.operation(None, answers={200: EndedSession}, caller="session")
def sign_out() -> Response:
    """Sign out"""
    session_id = _session_id()
    return edge.write(
        lambda connection: Reply(200, sessions.end(connection, session_id, occasion=edge.occasion(connection)))
    )


def _checked(email: str, password: str) -> RowMapping:
    """The user whose password it is. No transaction is open while it is checked, which takes a tenth of a second."""
    with edge.engine().connect() as connection:
        user = users.by_email(connection, email)
    may = user is not None and user["status"] == "active"
    right = passwords.matches(password, user["password_hash"] if user is not None else None)
    if user is None or not (right and may):
        _log.warning("sign_in_refused", user_id=user and user["id"], address=edge.client_address())
        raise SignInRefused
    return user


def _minted() -> Minted:
    return Minted.of(secrets.token_bytes(keys.ENTROPY_BYTES), peppers=current_app.extensions["peppers"])


def _session_id() -> int:
    session_id = web.current_call().caller.session_id
    if session_id is None:
        raise Unauthenticated
    return session_id
