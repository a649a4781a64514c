"""Keys for programs: made, changed, replaced and revoked. None gets more than its maker has."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Response, current_app
from sqlalchemy import Connection, RowMapping

from loyalty_common import fields, pagination, web
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_gateway.api import edge
from loyalty_gateway.api.key_schemas import (
    ApiKey,
    ApiKeyChanges,
    ApiKeyFields,
    ApiKeyQuery,
    NewApiKey,
    RotatedApiKey,
    Rotation,
)
from loyalty_gateway.domain import api_keys, key_queries, keys
from loyalty_gateway.models import ApiKey as Key

_SHOWN_ONCE = ("key",)

blueprint = Blueprint("API keys", __name__, url_prefix="/v1/api-keys", description=__doc__)


def check_exists(*, api_key_id: int) -> None:
    """``NotFound`` for a key that is not the caller's to manage."""
    _found(api_key_id)


@blueprint.route("", methods=["GET"])
@blueprint.listing("keys:read", of=ApiKey, query=ApiKeyQuery)
def list_api_keys(query: Mapping[str, Any]) -> Response:
    """List API keys

    Of both modes for a caller of the live mode, of the test mode alone for one of that.
    """
    call = web.current_call()
    with edge.read() as tx:
        wanted = {"status": query["status"], "mode": query["mode"], "now": call.now}
        return pagination.page_of(
            tx,
            key_queries.matching(call.organization.id, edge.authority(tx.connection), **wanted),
            by=(Key.created_at, Key.id),
            query=query,
            show=lambda row: key_queries.shape(row._mapping, now=call.now),
        )


@blueprint.route("/<id:api_key_id>", methods=["GET"])
@blueprint.operation("keys:read", answers={200: ApiKey})
def retrieve_api_key(api_key_id: int) -> Response:
    """Retrieve an API key"""
    return web.answer(key_queries.shape(_found(api_key_id), now=web.current_call().now))


@blueprint.route("", methods=["POST"])
@blueprint.operation("keys:write", body=ApiKeyFields, answers={201: NewApiKey})
def create_api_key(sent: Mapping[str, Any]) -> Response:
    """Create an API key

    The key itself is in this answer and never again.
    """
    new = {"organization_id": web.current_call().organization.id, **_new_secret()}

    def create(connection: Connection) -> Reply:
        caller = edge.authority(connection)
        wanted = {**sent, "mode": sent["mode"] or caller.mode, "scopes": sent["scopes"] or sorted(caller.scopes)}
        caller.check_mode(wanted["mode"])
        caller.check_scopes(wanted["scopes"])
        return Reply(201, api_keys.create(connection, **new, **wanted, occasion=edge.occasion(connection)))

    return edge.write(create, secrets=_SHOWN_ONCE)


@blueprint.route("/<id:api_key_id>", methods=["PATCH"])
@blueprint.operation("keys:write", body=ApiKeyChanges, answers={200: ApiKey})
def change_api_key(sent: Mapping[str, Any], api_key_id: int) -> Response:
    """Change an API key

    It counts for the next request. A key that was revoked or has expired stays as it was.
    """
    return edge.write(_on(api_key_id, lambda of: Reply(200, api_keys.change(**of, changes=sent))))


@blueprint.route("/<id:api_key_id>/rotate", methods=["POST"])
@blueprint.operation("keys:write", body=Rotation, answers={201: RotatedApiKey})
def rotate_api_key(sent: Mapping[str, Any], api_key_id: int) -> Response:
    """Replace an API key

    The new key is like the old one in all but its secret; the old one goes on for the overlap.
    """
    how = {"overlap": timedelta(hours=sent["overlap_hours"]), **_new_secret()}
    rotate = _on(api_key_id, lambda of: Reply(201, api_keys.rotate(**of, **how)))
    return edge.write(rotate, secrets=_SHOWN_ONCE)


@blueprint.route("/<id:api_key_id>/revoke", methods=["POST"])
@blueprint.operation("keys:write", body=fields.Nothing, answers={200: ApiKey})
def revoke_api_key(_: Mapping[str, Any], api_key_id: int) -> Response:
    """Revoke an API key

    Every request with it is refused within a second, for ever.
    """
    return edge.write(_on(api_key_id, lambda of: Reply(200, api_keys.revoke(**of))))


def _on(api_key_id: int, operation: Callable[[Mapping[str, Any]], Reply]) -> Callable[[Connection], Reply]:
    """``operation`` with what all of them are told: which key, who asks, and what he may."""
    organization_id = web.current_call().organization.id
    return lambda connection: operation(
        {
            "connection": connection,
            "organization_id": organization_id,
            "api_key_id": api_key_id,
            "authority": edge.authority(connection),
            "occasion": edge.occasion(connection),
        }
    )


def _new_secret() -> dict[str, Any]:
    return {"peppers": current_app.extensions["peppers"], "entropy": secrets.token_bytes(keys.ENTROPY_BYTES)}


def _found(api_key_id: int) -> RowMapping:
    of = {"organization_id": web.current_call().organization.id, "api_key_id": api_key_id}
    with edge.read() as tx:
        row = key_queries.find(tx.connection, **of, authority=edge.authority(tx.connection))
    if row is None:
        raise NotFound
    return row
