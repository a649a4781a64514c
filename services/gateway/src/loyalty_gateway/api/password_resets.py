"""Choosing a password behind a link that works once: of an invitation, or of a reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import Connection, RowMapping

from loyalty_common import web
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_gateway.api import edge
from loyalty_gateway.api.schemas import User
from loyalty_gateway.api.user_schemas import NewPassword, ResetRequest, Sent
from loyalty_gateway.domain import mails, one_time_links, passwords, users
from loyalty_gateway.domain.actors import USER, Actor

_LONGEST_TOKEN = 100

blueprint = Blueprint("Password resets", __name__, url_prefix="/v1/password-resets", description=__doc__)


@blueprint.route("", methods=["POST"])
@blueprint.operation(None, body=ResetRequest, answers={200: Sent}, caller="anyone")
def request_password_reset(sent: Mapping[str, Any]) -> Response:
    """Ask for a new password

    The answer is the same whether anybody has this address. Who has gets a link that works once, for 60 minutes; who
    was invited and has not come yet gets the invitation again.
    """
    web.request_key()  # A repetition is answered alike without it; one that is none is refused, as everywhere.
    edge.visitors().reset(email=sent["email"], address=edge.client_address())
    # Whether anybody has it is found out when the mail is written: here, both cases are one and the same statement.
    with edge.engine().begin() as connection:
        mails.to_address(connection, sent["email"], "password_reset")
    return web.answer({"sent": True})


@blueprint.route("/<token>", methods=["POST"])
@blueprint.operation(None, body=NewPassword, answers={200: User}, caller="anyone")
def choose_password(sent: Mapping[str, Any], token: str) -> Response:
    """Choose a password

    Ends all sessions of the user, and every other link. A link that was used, or is too old, is 404.
    """
    edge.visitors().link(address=edge.client_address())
    link, key, now = _found(token), edge.key_without_password(), web.current_call().now
    # Of a link that is good no more only a repetition of the request that used it can be answered.
    password_hash = passwords.hashed(sent["password"]) if one_time_links.is_open(link, at=now) else ""

    def use(connection: Connection) -> Reply:
        occasion = edge.occasion_of(Actor(USER, link["user_id"], link["name"]))
        user = one_time_links.use(connection, link, password_hash=password_hash, occasion=occasion)
        if user is None:
            raise NotFound
        return Reply(200, users.shape(user))

    return edge.write_as(link["tenant_id"], key, use)


def check_exists(*, token: str) -> None:
    """``NotFound`` for a link that is good no more, before anything is said about the password."""
    if not one_time_links.is_open(_found(token), at=web.current_call().now):
        raise NotFound


def _found(token: str) -> RowMapping:
    with edge.engine().connect() as connection:
        link = one_time_links.find(connection, token) if len(token) <= _LONGEST_TOKEN else None
    if link is None:
        raise NotFound
    return link
