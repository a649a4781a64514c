"""How routes of the account API reach the domain: a write in a transaction of its own, a read in one too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Response, current_app
from sqlalchemy import Connection

from loyalty_common import database, web
from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply
from loyalty_gateway.domain.replies import once


def write(operation: Callable[[Connection], Reply]) -> Response:
    """Runs ``operation`` until it is recorded or refused, once per key."""
    call, request = web.current_call(), web.request_key()
    return web.respond(
        database.perform(
            current_app.extensions["engine"],
            call.tenant_id,
            lambda tx: once(tx, request, lambda: operation(tx.connection), at=call.now),
        )
    )


def read() -> AbstractContextManager[Transaction]:
    return database.transaction(current_app.extensions["engine"], web.current_call().tenant_id)
