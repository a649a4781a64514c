"""Endpoints that are owed something, and a look behind the service's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler


@pytest.fixture
def endpoint(call: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """``endpoint()`` is created through the API and returned with its secret."""

    def create(url: str = "https://127.0.0.1:8443/", **fields: Any) -> dict[str, Any]:
        answer = call("POST", "/webhook-endpoints", {"url": url, **fields})
        assert answer.status_code == 201, answer.json
        made: dict[str, Any] = answer.json["data"]
        return made

    return create


@pytest.fixture
def publish(engine: Engine, purchase: Callable[..., Message]) -> Callable[..., list[Message]]:
    """``publish(3)``: as many new events of this test's tenant are taken in."""

    def take_in(count: int = 1, **fields: Any) -> list[Message]:
        messages = [purchase(**fields) for _ in range(count)]
        handler(engine)(messages)
        return messages

    return take_in


@pytest.fixture
def rows(engine: Engine, tenant_id: int) -> Callable[..., list[Any]]:
    """Runs a statement of the test's tenant and commits."""

    def execute(statement: str, **parameters: Any) -> list[Any]:
        with engine.begin() as connection:
            result = connection.execute(text(statement), {"tenant_id": tenant_id, **parameters})
            return list(result) if result.returns_rows else []

    return execute
