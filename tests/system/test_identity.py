"""Reaching a service's port lets nobody in: only a signed identity for this very service does."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PATHS = {
    "customers": ("/v1/customers", "/internal/customers?customer_id=1"),
    "programs": ("/v1/loyalty-cards", "/internal/events"),
    "vouchers": ("/v1/vouchers", "/internal/events"),
    "webhooks": ("/v1/webhook-endpoints", "/internal/events"),
}


@pytest.fixture(scope="module")
def mint(suite: Any) -> Callable[..., str]:
    """Tokens as the gateway, or whoever has a key, could make them; keywords replace claims."""

    def mint(issuer: str, audience: str, *, kid: str | None = None, **claims: Any) -> str:
        seed = base64.b64decode(suite.layout.keys.private_keys[issuer])
        now = int(time.time())
        payload = {
            "iss": issuer,
            "aud": audience,
            "iat": now,
            "exp": now + 60,
            "tenant_id": 1,
            "organization": {"id": 1, "currency": "USD", "country": "US", "time_zone": "UTC"},
            "actor": {"type": "api_key", "id": 1},
            "scopes": ["customers:read"],
            "plan": "demo",
            **claims,
        }
        return jwt.encode(payload, Ed25519PrivateKey.from_private_bytes(seed), "EdDSA", headers={"kid": kid or issuer})

    return mint


def ask(suite: Any, service: str, path: str, token: str | None) -> int:
    url = f"{suite.layout.addresses.url(f'{service}-serve')}{path}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    method = "POST" if path.endswith("/events") else "GET"
    return requests.request(
        method, url, headers=headers, json={"messages": []} if method == "POST" else None, timeout=10
    ).status_code


@pytest.mark.parametrize("service", PATHS)
def test_a_service_called_directly_answers_only_to_its_own_token(suite: Any, mint: Any, service: str) -> None:
    public, internal = PATHS[service]
    other = next(name for name in PATHS if name != service)
    now = int(time.time())
    assert ask(suite, service, public, mint("gateway", service)) == 200
    refused = {
        "none": None,
        "garbage": "abc.def.ghi",
        "an API key": "lpk_live_0000000000_" + "0" * 49,
        "expired": mint("gateway", service, exp=now - 60),
        "for another service": mint("gateway", other),
        "a service's own": mint(other, service),
        "a service's own in the gateway's name": mint(other, service, iss="gateway", kid="gateway"),
    }
    for kind, token in refused.items():
        assert ask(suite, service, public, token) == 401, kind
    assert ask(suite, service, internal, mint("gateway", service)) == 401
    assert ask(suite, service, internal, None) == 401
