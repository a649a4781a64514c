"""Who is calling, and whether they may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from loyalty_common.identity import TokenSigner
from loyalty_gateway.domain import keys
from loyalty_gateway.domain.errors import (
    AddressNotAllowed,
    InsufficientScope,
    KeyExpired,
    KeyRevoked,
    NoCredentials,
    OrganizationSuspended,
    PlanRequired,
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
        """The key behind an ``Authorization`` header.

        Raises ``NoCredentials`` for what cannot be one of our keys, without a look-up; ``WrongKey`` for a key that
        is nobody's. That a key was revoked or has expired is told only to whoever has the whole of it.
        """
        scheme, _, text = (authorization or "").partition(" ")
        kid = keys.kid_of(text) if scheme.lower() == "bearer" else None
        if kid is None:
            raise NoCredentials
        known = self._cache.get(kid)
        stored = None if known is None else (known.digest, known.pepper_version)
        if not keys.matches(text, stored=stored, peppers=self._peppers) or known is None:
            raise WrongKey
        if known.revoked_at is not None and known.revoked_at <= now:
            raise KeyRevoked
        if known.expires_at is not None and known.expires_at <= now:
            raise KeyExpired
        if self._last_use is not None:
            self._last_use.note(known.id, at=now)
        return known


def check_permission(key: KnownKey, *, scope: str | None, address: str) -> None:
    """``scope`` is what the route asks for, ``None`` where there is no such route; ``address`` the client's."""
    if key.allowed_networks and not _lies_in(address, key.allowed_networks):
        raise AddressNotAllowed
    if key.is_suspended:
        raise OrganizationSuspended
    if not key.has_developer_access:
        raise PlanRequired
    if scope is not None and not grants(key.scopes, scope):
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
            "actor": {"type": "api_key", "id": key.id},
            "scopes": sorted(key.scopes),
            "plan": key.plan,
        }
        token = key.tokens[audience] = signer.mint(audience, tenant_id=key.tenant_id, claims=claims)
    return token
