"""How routes reach the domain: a write in the transaction of its own, a read in one too."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from flask import Response, current_app

from loyalty_common import database, web
from loyalty_common.database import Transaction
from loyalty_common.directory import DirectoryFallback
from loyalty_common.idempotency import Reply
from loyalty_programs.domain.acts import Act

_T = TypeVar("_T")


def write(operation: Callable[[Transaction, Act], Reply]) -> Response:
    """Runs ``operation`` until it is recorded or refused; customers and locations it misses are asked for."""
    doing = act()
    return web.respond(perform(lambda tx: operation(tx, doing)))


def act() -> Act:
    """The write that this request is."""
    call = web.current_call()
    return Act(
        request=web.request_key(),
        organization_id=call.organization.id,
        source=call.caller.source,
        at=call.now,
        choose=secrets.randbelow,
    )


def perform(operation: Callable[[Transaction], _T]) -> _T:
    """In a transaction of its own, again after each customer or location whose owner had to be asked."""
    call = web.current_call()
    fallback: DirectoryFallback = current_app.extensions["directory"]
    return fallback.perform(call.tenant_id, call.organization.id, operation)


def read() -> AbstractContextManager[Transaction]:
    return database.transaction(current_app.extensions["engine"], web.current_call().tenant_id)
