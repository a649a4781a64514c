"""Who signs in to the dashboard, and as what. Owners alone see and change users; one of them always stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import Connection, RowMapping

from loyalty_common import pagination, web
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_gateway.api import edge
from loyalty_gateway.api.schemas import User
from loyalty_gateway.api.user_schemas import DeletedUser, UserChanges, UserFields
from loyalty_gateway.domain import membership, roles, users
from loyalty_gateway.domain.actors import USER
from loyalty_gateway.domain.errors import LiveModeRequired, RoleExceedsCaller
from loyalty_gateway.domain.roles import OWNER
from loyalty_gateway.domain.scopes import grants
from loyalty_gateway.models import User as Row
from loyalty_gateway.models.base import LIVE

blueprint = Blueprint("Users", __name__, url_prefix="/v1/users", description=__doc__)


def check_exists(*, user_id: int) -> None:
    """``NotFound`` for a user who is not of the caller's organization."""
    _found(user_id)


@blueprint.route("", methods=["GET"])
@blueprint.listing("account:read", of=User, query=ListQuery, role=OWNER)
def list_users(query: Mapping[str, Any]) -> Response:
    """List users"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            users.all_of(web.current_call().organization.id),
            by=(Row.created_at, Row.id),
            query=query,
            show=lambda row: users.shape(row._mapping),
        )


@blueprint.route("/<id:user_id>", methods=["GET"])
@blueprint.operation("account:read", answers={200: User}, role=OWNER)
def retrieve_user(user_id: int) -> Response:
    """Retrieve a user"""
    return web.answer(users.shape(_found(user_id)))


@blueprint.route("", methods=["POST"])
@blueprint.operation("account:write", body=UserFields, answers={201: User}, role=OWNER)
def invite_user(sent: Mapping[str, Any]) -> Response:
    """Invite a user

    Sends a mail with a link that works once, for 7 days. Until a password was chosen there, `status` is `invited`; a
    password reset sends another link.
    """
    organization_id = web.current_call().organization.id

    def invite(connection: Connection) -> Reply:
        _check_may_manage(connection, sent["role"], "role")
        occasion = edge.occasion(connection)
        invited = membership.invite(connection, organization_id=organization_id, **sent, occasion=occasion)
        return Reply(201, invited)

    return edge.write(invite)


@blueprint.route("/<id:user_id>", methods=["PATCH"])
@blueprint.operation("account:write", body=UserChanges, answers={200: User}, role=OWNER)
def change_user(sent: Mapping[str, Any], user_id: int) -> Response:
    """Change a user

    `disabled` ends all sessions of the user. The last active owner can be neither disabled nor given another role.
    """

    def change(connection: Connection) -> Reply:
        before = _locked(connection, user_id)
        _check_may_manage(connection, before["role"])
        if "role" in sent:
            _check_may_manage(connection, sent["role"], "role")
        return Reply(200, membership.change(connection, before, changes=sent, occasion=edge.occasion(connection)))

    return edge.write(change)


@blueprint.route("/<id:user_id>", methods=["DELETE"])
@blueprint.operation("account:write", answers={200: DeletedUser}, role=OWNER)
def delete_user(user_id: int) -> Response:
    """Delete a user

    Ends all sessions of the user. The last active owner stays.
    """

    def delete(connection: Connection) -> Reply:
        before = _locked(connection, user_id)
        _check_may_manage(connection, before["role"])
        return Reply(200, membership.delete(connection, before, occasion=edge.occasion(connection)))

    return edge.write(delete)


def _check_may_manage(connection: Connection, role: str, *fields: str) -> None:
    """A key has no power over a role that may more than itself, in either mode. A signed-in user here is an owner."""
    if web.current_call().caller.actor_type == USER:
        return
    authority = edge.authority(connection)
    if authority.mode != LIVE:
        raise LiveModeRequired
    if not all(grants(authority.scopes, scope) for scope in roles.SCOPES[role]):
        raise RoleExceedsCaller(role, *fields)


def _locked(connection: Connection, user_id: int) -> RowMapping:
    row = membership.locked(connection, organization_id=web.current_call().organization.id, user_id=user_id)
    if row is None:
        raise NotFound
    return row


def _found(user_id: int) -> RowMapping:
    with edge.read() as tx:
        row = users.find(tx.connection, organization_id=web.current_call().organization.id, user_id=user_id)
    if row is None:
        raise NotFound
    return row
