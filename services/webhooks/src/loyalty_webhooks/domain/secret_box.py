"""Signing secrets: made once, shown once, kept sealed."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "whsec_"
_NONCE_BYTES = 12
_HINT_CHARACTERS = 4


def new_signing_secret(entropy: bytes) -> str:
    """``whsec_`` + base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(entropy).decode()


def hint(signing_secret: str) -> str:
    """What may be shown for ever: ``whsec_…Wq8=``."""
    return f"{PREFIX}…{signing_secret[-_HINT_CHARACTERS:]}"


class SecretBox:
    """AES-256-GCM under versioned keys; the highest version seals, every version opens.

    Sealed text is ``<version>.<base64 of nonce and ciphertext>``. Tenant and endpoint are authenticated with it,
    so that a sealed secret copied to another endpoint's row does not open there.
    """

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self.newest = max(keys)

    def seal(self, signing_secret: str, *, tenant_id: int, endpoint_id: int) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._ciphers[self.newest].encrypt(
            nonce, signing_secret.encode(), _context(tenant_id, endpoint_id)
        )
        return f"{self.newest}.{base64.b64encode(nonce + ciphertext).decode()}"

    def open(self, sealed: str, *, tenant_id: int, endpoint_id: int) -> str:
        """Raises ``KeyError`` if the key's version is not configured, ``InvalidTag`` if the text was not ours."""
        version, _, body = sealed.partition(".")
        raw = base64.b64decode(body)
        plain = self._ciphers[int(version)].decrypt(
            raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _context(tenant_id, endpoint_id)
        )
        return plain.decode()

    def open_all(self, *sealed: str | None, tenant_id: int, endpoint_id: int) -> list[str]:
        """Those that are there, in the same order; raises as ``open`` does."""
        return [self.open(each, tenant_id=tenant_id, endpoint_id=endpoint_id) for each in sealed if each is not None]


def _context(tenant_id: int, endpoint_id: int) -> bytes:
    return f"{tenant_id}:{endpoint_id}".encode()
