"""How routes of the account API reach the domain: a write in a transaction of its own, a read in one too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Response, current_app, request
from sqlalchemy import Connection

from loyalty_common import database, web
from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply
from loyalty_gateway.api.headers import CLIENT_ADDRESS
from loyalty_gateway.domain import actors, organizations
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.replies import once
from loyalty_gateway.domain.scopes import Authority


def write(operation: Callable[[Connection], Reply], *, secrets: tuple[str, ...] = ()) -> Response:
    """Runs ``operation`` until it is recorded or refused, once per key; ``secrets`` in its data are null on replay."""
    call, key = web.current_call(), web.request_key()
    return web.respond(
        database.perform(
            current_app.extensions["engine"],
            call.tenant_id,
            lambda tx: once(tx, key, lambda: operation(tx.connection), at=call.now, secrets=secrets),
        )
    )


def occasion(connection: Connection) -> Occasion:
    """Of the call that is being answered, for what is audited."""
    call = web.current_call()
    caller = call.caller
    actor = actors.find(connection, actor_type=caller.actor_type or "", actor_id=caller.actor_id or 0)
    return Occasion(actor, call.now, request.headers.get(CLIENT_ADDRESS), call.request_id)


def authority(connection: Connection) -> Authority:
    """What the caller may pass on."""
    call = web.current_call()
    return Authority(organizations.mode_of(connection, call.tenant_id), call.caller.scopes)


def read() -> AbstractContextManager[Transaction]:
    return database.transaction(current_app.extensions["engine"], web.current_call().tenant_id)
