"""Who is calling, by key or by session, and whether they may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from loyalty_common.identity import VISITOR, TokenSigner
from loyalty_gateway.domain import keys, roles, session_tokens
from loyalty_gateway.domain.errors import (
    AddressNotAllowed,
    InsufficientRole,
    InsufficientScope,
    KeyExpired,
    KeyRevoked,
    NoCredentials,
    OrganizationSuspended,
    PlanRequired,
    SessionOver,
    SessionRequired,
    WrongKey,
)
from loyalty_gateway.domain.key_cache import KeyCache
from loyalty_gateway.domain.known_keys import KnownKey
from loyalty_gateway.domain.last_use import LastUse
from loyalty_gateway.domain.scopes import grants


class Authenticator:
    def __init__(self, cache: KeyCache, *, peppers: Mapping[int, bytes], last_use: LastUse | None = None) -> None:
        self._cache = cache
        self._peppers = peppers
        self._last_use = last_use

    def authenticate(self, authorization: str | None, *, now: datetime) -> KnownKey:
        """The key behind an ``Authorization`` header, or the session.

        Raises ``NoCredentials`` for what cannot be one of ours, without a look-up; ``WrongKey`` for one that is
        nobody's. That it was revoked or has expired is told only to whoever has the whole of it.
        """
        scheme, _, text = (authorization or "").partition(" ")
        kid = (keys.kid_of(text) or _session_kid(text)) if scheme.lower() == "bearer" else None
        if kid is None:
            raise NoCredentials
        known = self._cache.get(kid)
        stored = None if known is None else (known.digest, known.pepper_version)
        if not keys.matches(text, stored=stored, peppers=self._peppers) or known is None:
            raise WrongKey
        if known.revoked_at is not None and known.revoked_at <= now:
            raise KeyRevoked if known.role is None else SessionOver
        if known.expires_at is not None and known.expires_at <= now:
            raise KeyExpired if known.role is None else SessionOver
        if self._last_use is not None and known.role is None:
            self._last_use.note(known.id, at=now)
        return known


def _session_kid(text: str) -> str | None:
    kid = session_tokens.kid_of(text)
    return None if kid is None else session_tokens.PREFIX + kid


def check_permission(
    key: KnownKey, *, scope: str | None, address: str, role: str = roles.STAFF, needs_session: bool = False
) -> None:
    """``scope`` is what the route asks of a key and ``role`` what it asks of a signed-in user.

    ``None`` and the lowest where there is no such route. ``address`` is the client's.
    """
    if key.allowed_networks and not _lies_in(address, key.allowed_networks):
        raise AddressNotAllowed
    if key.is_suspended:
        raise OrganizationSuspended
    if not key.has_developer_access:
        raise PlanRequired
    if key.role is not None:
        if not roles.suffices(key.role, wanted=role):
            raise InsufficientRole(role)
    elif needs_session:
        raise SessionRequired
    elif scope is not None and not grants(key.scopes, scope):
        raise InsufficientScope(scope)


def _lies_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    parsed = ip_address(address.partition("%")[0])
    # What a socket for both families says of a client that came over IPv4.
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


def identity_token(key: KnownKey, *, audience: str, signer: TokenSigner) -> str:
    """The token that tells ``audience`` who calls: minted once per known key, so that no change outlives its cache."""
    token = key.tokens.get(audience)
    if token is None:
        claims = {
            "organization": key.organization,
            "actor": _actor(key),
            "scopes": sorted(key.scopes),
            "plan": key.plan,
        }
        token = key.tokens[audience] = signer.mint(audience, tenant_id=key.tenant_id, claims=claims)
    return token


def visitor_token(*, audience: str, signer: TokenSigner) -> str:
    """For an operation that is open to everybody: it opens nothing else."""
    return signer.mint(audience, claims={"actor": {"type": VISITOR}})


def _actor(key: KnownKey) -> dict[str, Any]:
    if key.user_id is None:
        return {"type": "api_key", "id": key.id}
    return {"type": "user", "id": key.user_id, "session_id": key.id}
