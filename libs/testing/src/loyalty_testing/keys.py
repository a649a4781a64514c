"""Key pairs and tokens for tests, as a gateway of its own would hold and mint them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from loyalty_common.identity import GATEWAY, TokenSigner

ISSUERS = (GATEWAY, "accounts", "customers", "programs", "vouchers", "webhooks")
ALL_SCOPES = tuple(
    f"{area}:{right}"
    for area in ("customers", "programs", "vouchers", "webhooks", "account", "keys")
    for right in ("read", "write")
)


class IdentityKeys:
    """One fresh Ed25519 pair for every issuer."""

    def __init__(self) -> None:
        self._keys = {issuer: Ed25519PrivateKey.generate() for issuer in ISSUERS}

    @property
    def public_keys(self) -> dict[str, list[str]]:
        return {issuer: [_base64(key.public_key().public_bytes_raw())] for issuer, key in self._keys.items()}

    @property
    def public_keys_json(self) -> str:
        """As IDENTITY_PUBLIC_KEYS wants it."""
        return json.dumps(self.public_keys)

    def private_key(self, issuer: str) -> str:
        """As IDENTITY_PRIVATE_KEY wants it."""
        return _base64(self._keys[issuer].private_bytes_raw())

    def signer(self, issuer: str) -> TokenSigner:
        return TokenSigner(issuer, self.private_key(issuer))

    def gateway_token(
        self, audience: str, tenant_id: int = 1, organization_id: int = 1, scopes: Sequence[str] = ALL_SCOPES
    ) -> str:
        """What the gateway sends with a call of API key 4 of an organization in New York that counts in USD."""
        claims = {
            "organization": {
                "id": organization_id,
                "currency": "USD",
                "country": "US",
                "time_zone": "America/New_York",
            },
            "actor": {"type": "api_key", "id": 4},
            "scopes": list(scopes),
            "plan": "business",
        }
        return self.signer(GATEWAY).mint(audience, tenant_id=tenant_id, claims=claims)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
