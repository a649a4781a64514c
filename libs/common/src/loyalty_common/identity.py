"""Who is calling: short-lived Ed25519 tokens between the gateway and the services, and among services."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from loyalty_common.errors import Unauthenticated

GATEWAY = "gateway"
# The actor of a call that needs no credentials: the gateway carried it, and knows no more of who made it.
VISITOR = "visitor"
LIFETIME_S = 60
_LEEWAY_S = 5
_REQUIRED = ["exp", "iat", "aud", "iss"]
_CACHE_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Organization:
    """What a service needs of its caller's organization, as it was when the token was minted."""

    id: int
    currency: str
    country: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. ``tenant_id`` is absent only from service tokens that act for no tenant, and from visitors.

    ``session_id``: of a signed-in user, the session that the call was made with.
    """

    issuer: str
    tenant_id: int | None
    organization: Organization | None = None
    actor_type: str | None = None
    actor_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    plan: str | None = None
    session_id: int | None = None

    @property
    def source(self) -> str:
        """``api``, or ``dashboard`` for a signed-in user: the ``source`` of ledger rows and events."""
        return "dashboard" if self.actor_type == "user" else "api"


class TokenSigner:
    """Mints tokens in the name of one issuer; ``private_key`` is the base64 of the 32-byte Ed25519 seed."""

    def __init__(self, issuer: str, private_key: str) -> None:
        self.issuer = issuer
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key))

    def mint(self, audience: str, *, tenant_id: int | None = None, claims: Mapping[str, Any] | None = None) -> str:
        now = int(time.time())
        payload = {**(claims or {}), "iss": self.issuer, "aud": audience, "iat": now, "exp": now + LIFETIME_S}
        if tenant_id is not None:
            payload["tenant_id"] = tenant_id
        return jwt.encode(payload, self._key, algorithm="EdDSA", headers={"kid": self.issuer})


class TokenVerifier:
    """Checks tokens for one audience. A token that passed is remembered until it expires."""

    def __init__(self, audience: str, public_keys: Mapping[str, Sequence[str]]) -> None:
        self._audience = audience
        self._keys = {
            issuer: [Ed25519PublicKey.from_public_bytes(base64.b64decode(key)) for key in keys]
            for issuer, keys in public_keys.items()
        }
        self._verified: dict[str, tuple[float, Identity]] = {}
        self._lock = threading.Lock()

    def verify(self, authorization: str | None) -> Identity:
        """The caller behind an ``Authorization: Bearer …`` header, or ``Unauthenticated``."""
        if not authorization or not authorization.startswith("Bearer "):
            raise Unauthenticated("This call carries no identity.")
        token = authorization[7:]
        known = self._verified.get(token)
        if known is not None and time.time() < known[0]:
            return known[1]
        claims = self._claims(token)
        identity = _identity(claims)
        with self._lock:
            if len(self._verified) >= _CACHE_LIMIT:
                self._verified.clear()
            self._verified[token] = (claims["exp"] + _LEEWAY_S, identity)
        return identity

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            issuer = jwt.get_unverified_header(token).get("kid")
            for key in self._keys.get(str(issuer), []):
                try:
                    return jwt.decode(
                        token,
                        key,
                        algorithms=["EdDSA"],
                        audience=self._audience,
                        issuer=str(issuer),
                        leeway=_LEEWAY_S,
                        options={"require": _REQUIRED},
                    )
                except jwt.InvalidSignatureError:
                    continue
        except jwt.InvalidTokenError:
            pass
        raise Unauthenticated("This call's identity is not valid.")


def _identity(claims: Mapping[str, Any]) -> Identity:
    """Of a service's own token nothing but issuer and tenant counts: it can claim no organization."""
    if (is_visitor := claims.get("actor") == {"type": VISITOR}) or claims["iss"] != GATEWAY:
        return Identity(issuer=claims["iss"], tenant_id=None if is_visitor else claims.get("tenant_id"))
    try:
        return Identity(
            issuer=GATEWAY,
            tenant_id=claims["tenant_id"],
            organization=Organization(**claims["organization"]),
            actor_type=claims["actor"]["type"],
            actor_id=claims["actor"]["id"],
            scopes=frozenset(claims["scopes"]),
            plan=claims["plan"],
            session_id=claims["actor"].get("session_id"),
        )
    except (KeyError, TypeError):
        raise Unauthenticated("This call's identity is not complete.") from None
