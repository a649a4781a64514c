"""How routes reach the domain: a write in the transaction of its own, a read in one too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from flask import Response, current_app

from loyalty_common import database, web
from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply
from loyalty_webhooks.domain.acts import Act

_T = TypeVar("_T")


def write(operation: Callable[[Transaction, Act], Reply]) -> Response:
    """Runs ``operation`` until it is recorded or refused."""
    doing = act()
    return web.respond(perform(lambda tx: operation(tx, doing)))


def act() -> Act:
    """The write that this request is."""
    return Act(request=web.request_key(), at=web.current_call().now)


def perform(operation: Callable[[Transaction], _T]) -> _T:
    return database.perform(current_app.extensions["engine"], web.current_call().tenant_id, operation)


def read() -> AbstractContextManager[Transaction]:
    return database.transaction(current_app.extensions["engine"], web.current_call().tenant_id)
