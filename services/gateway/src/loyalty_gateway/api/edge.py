"""How routes of the account API reach the domain: a write in a transaction of its own, a read in one too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from flask import Response, current_app, request
from sqlalchemy import Connection, Engine

from loyalty_common import database, web
from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, RequestKey, fingerprint
from loyalty_gateway.api.headers import CLIENT_ADDRESS
from loyalty_gateway.domain import actors, organizations
from loyalty_gateway.domain.actors import Actor
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.replies import once
from loyalty_gateway.domain.scopes import Authority
from loyalty_gateway.domain.visitor_limits import VisitorLimits


def write(operation: Callable[[Connection], Reply], *, secrets: tuple[str, ...] = ()) -> Response:
    """Runs ``operation`` until it is recorded or refused, once per key; ``secrets`` in its data are null on replay."""
    return write_as(web.current_call().tenant_id, web.request_key(), operation, secrets=secrets)


def write_as(
    tenant_id: int, key: RequestKey, operation: Callable[[Connection], Reply], *, secrets: tuple[str, ...] = ()
) -> Response:
    """The same for a tenant that the call does not name."""
    now = web.current_call().now
    return web.respond(
        database.perform(
            engine(),
            tenant_id,
            lambda tx: once(tx, key, lambda: operation(tx.connection), at=now, secrets=secrets),
        )
    )


def credentials(tenant_id: int, operation: Callable[[Connection], Mapping[str, Any]]) -> Response:
    """Answers 201 with a ``token``: once per Idempotency-Key, and without it when it is asked for again.

    Without a client's key every attempt counts by itself: the gateway's own repetition after a broken connection must
    not be answered with nothing.
    """
    key = key_without_password()
    if "Idempotency-Key" in request.headers:
        return write_as(tenant_id, key, lambda connection: Reply(201, operation(connection)), secrets=("token",))
    return web.respond(database.perform(engine(), tenant_id, lambda tx: Reply(201, operation(tx.connection))))


def key_without_password() -> RequestKey:
    """The stored fingerprint must not be made of a password: a digest of one can be guessed at."""
    body = {name: value for name, value in (web.current_call().body or {}).items() if name != "password"}
    return replace(web.request_key(), fingerprint=fingerprint(request.method, request.path, body))


def occasion(connection: Connection) -> Occasion:
    """Of the call that is being answered, for what is audited."""
    caller = web.current_call().caller
    return occasion_of(actors.find(connection, actor_type=caller.actor_type or "", actor_id=caller.actor_id or 0))


def occasion_of(actor: Actor) -> Occasion:
    """The same for somebody whom the call's identity does not name yet."""
    call = web.current_call()
    return Occasion(actor, call.now, request.headers.get(CLIENT_ADDRESS), call.request_id)


def authority(connection: Connection) -> Authority:
    """What the caller may pass on."""
    call = web.current_call()
    return Authority(organizations.mode_of(connection, call.tenant_id), call.caller.scopes)


def read() -> AbstractContextManager[Transaction]:
    return database.transaction(engine(), web.current_call().tenant_id)


def engine() -> Engine:
    found: Engine = current_app.extensions["engine"]
    return found


def visitors() -> VisitorLimits:
    found: VisitorLimits = current_app.extensions["visitors"]
    return found


def client_address() -> str:
    """Where the call came from, as the public listener saw it."""
    return request.headers.get(CLIENT_ADDRESS) or request.remote_addr or ""
