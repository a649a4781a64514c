"""What the gateway would be if it were written plainly: Flask in front, requests behind, the same checks between."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime

import requests
from flask import Flask, Response, request
from requests.adapters import HTTPAdapter

from loyalty_common import database
from loyalty_common.errors import ApiError
from loyalty_common.identity import GATEWAY, TokenSigner
from loyalty_gateway.api.headers import of_limits
from loyalty_gateway.domain.access import Authenticator, check_permission, identity_token
from loyalty_gateway.domain.key_cache import KeyCache
from loyalty_gateway.domain.known_keys import KnownKeys
from loyalty_gateway.domain.limits import LocalLimits
from loyalty_gateway.settings import Serve

_RETURNED = ("Content-Type", "Retry-After", "ETag", "Link")


def app() -> Flask:
    settings = Serve.read(os.environ)
    url = settings.accounts.database_url
    engine = database.create_engine(url, pool_size=2, application_name="flask proxy")
    authenticator = Authenticator(KeyCache(KnownKeys(engine).find), peppers=settings.peppers)
    signer = TokenSigner(GATEWAY, settings.identity_private_key)
    limits = LocalLimits()
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=64))
    proxy = Flask(__name__)
    proxy.add_url_rule("/readyz", "readyz", lambda: "ready")
    proxy.register_error_handler(ApiError, lambda error: ({"error": error.code}, error.status))

    @proxy.get("/api/v1/<path:path>")
    def carry(path: str) -> Response:
        key = authenticator.authenticate(request.headers.get("Authorization"), now=datetime.now(UTC))
        decision = limits.take(key.buckets)
        check_permission(key, scope="customers:read", address=request.remote_addr or "")
        sent = {
            "Authorization": f"Bearer {identity_token(key, audience='customers', signer=signer)}",
            "X-Request-Id": request.headers.get("X-Request-Id") or str(uuid.uuid4()),
        }
        origin = settings.service_urls["customers"][0]
        reply = session.get(f"{origin}/v1/{path}", headers=sent, timeout=10, allow_redirects=False)
        returned = [(name, reply.headers[name]) for name in _RETURNED if name in reply.headers]
        return Response(reply.content, reply.status_code, returned + of_limits(key.buckets, decision))

    return proxy
