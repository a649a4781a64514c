"""How routes reach the domain: a write in the transaction of its own, a read in one too."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from flask import Response, current_app

from loyalty_common import database, web
from loyalty_common.database import Transaction
from loyalty_common.directory import DirectoryFallback
from loyalty_common.idempotency import Reply
from loyalty_vouchers.domain.acts import Act


def write(operation: Callable[[Transaction, Act], Reply]) -> Response:
    """Runs ``operation`` until it is recorded or refused; customers and locations it misses are asked for."""
    call = web.current_call()
    act = Act(
        request=web.request_key(),
        organization_id=call.organization.id,
        source=call.caller.source,
        at=call.now,
        choose=secrets.randbelow,
    )
    fallback: DirectoryFallback = current_app.extensions["directory"]
    return web.respond(fallback.perform(call.tenant_id, act.organization_id, lambda tx: operation(tx, act)))


def ask(question: Callable[[Transaction], Any]) -> Response:
    """Answers a POST that writes nothing; what it misses is asked for as in a write."""
    web.request_key()  # refuses a key that no write would take
    call = web.current_call()
    fallback: DirectoryFallback = current_app.extensions["directory"]
    return web.answer(fallback.perform(call.tenant_id, call.organization.id, question))


def read() -> AbstractContextManager[Transaction]:
    return database.transaction(current_app.extensions["engine"], web.current_call().tenant_id)
