"""The account API, called as the public listener calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from loyalty_gateway.app import create_internal
from loyalty_gateway.settings import Internal

Call = Callable[..., Any]


@pytest.fixture(scope="session")
def internal_variables(
    accounts_url: str, environment: dict[str, str], identity_keys: Any, upstream_server: Any
) -> dict[str, str]:
    """Of the private listener, with programs and vouchers played by ``upstream``."""
    return {
        "DATABASE_URL": accounts_url,
        "DATABASE_POOL_SIZE": "60",
        "PUBLIC_BASE_URL": "https://api.example.com/api/v1",
        "PROGRAMS_URL": upstream_server.url,
        "VOUCHERS_URL": upstream_server.url,
        "KEY_PEPPERS": environment["KEY_PEPPERS"],
        "ACCOUNTS_PRIVATE_KEY": identity_keys.private_key("accounts"),
        "IDENTITY_PUBLIC_KEYS": identity_keys.public_keys_json,
    }


@pytest.fixture(scope="session")
def app(internal_variables: dict[str, str]) -> Iterator[Flask]:
    """The private listener."""
    app = create_internal(Internal.read(internal_variables))
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def key(new_key: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """A live key of an organization that no other test knows."""
    return new_key("business")


@pytest.fixture
def call_as(app: Flask, identity_keys: Any, engine: Engine) -> Callable[[dict[str, Any]], Call]:
    """``call_as(key)("PATCH", "/organization", {...}, key="k")``"""
    client = app.test_client()

    def as_key(api_key: dict[str, Any]) -> Call:
        organization_id = api_key["organization_id"]
        with engine.connect() as connection:
            of = {"organization_id": organization_id, "mode": api_key["mode"]}
            found = text("select id from tenants where organization_id = :organization_id and mode = :mode")
            tenant_id = connection.execute(found, of).scalar_one()
        settings = {"id": organization_id, "currency": "USD", "country": "US", "time_zone": "America/New_York"}
        actor = {"type": "api_key", "id": api_key["id"]}
        claims = {"organization": settings, "actor": actor, "scopes": api_key["scopes"], "plan": "business"}
        token = identity_keys.signer("gateway").mint("gateway", tenant_id=tenant_id, claims=claims)

        def call(method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
            headers = {"Authorization": f"Bearer {token}", "X-Loyalty-Client-Address": "203.0.113.7"}
            headers |= {"Idempotency-Key": key} if key else {}
            return client.open(f"/v1{path}", method=method, json=body, headers=headers)

        return call

    return as_key


@pytest.fixture
def call(call_as: Callable[[dict[str, Any]], Call], key: dict[str, Any]) -> Call:
    return call_as(key)
