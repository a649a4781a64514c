"""The secrets of one installation: made once, kept in one file that only its owner reads."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUERS = ("gateway", "accounts", "customers", "programs", "vouchers", "webhooks")


@dataclass(frozen=True)
class Keys:
    installation: str
    """Tells the data of this installation from that of any other on the machine."""
    database_password: str
    private_keys: dict[str, str]
    public_keys: dict[str, list[str]]
    key_peppers: dict[str, str]
    secret_keys: dict[str, str]
    """Of webhooks, for what it keeps sealed."""
    session_keys: dict[str, str]
    """Of the dashboard, for its cookies."""

    @classmethod
    def of(cls, path: Path) -> Keys:
        """The keys in ``path``; what is not there, as in a file of an earlier release, is made."""
        known = json.loads(path.read_text()) if path.exists() else {}
        if known.keys() != {field.name for field in fields(cls)}:
            known = asdict(_generate()) | known
            write_private(path, json.dumps(known, indent=2))
        return cls(**known)


def write_private(path: Path, text: str) -> None:
    """Writes a file of mode 600, whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _generate() -> Keys:
    pairs = {issuer: Ed25519PrivateKey.generate() for issuer in ISSUERS}
    return Keys(
        installation=secrets.token_hex(4),
        database_password=secrets.token_hex(24),
        private_keys={issuer: _text(pair.private_bytes_raw()) for issuer, pair in pairs.items()},
        public_keys={issuer: [_text(pair.public_key().public_bytes_raw())] for issuer, pair in pairs.items()},
        key_peppers={"1": _text(secrets.token_bytes(32))},
        secret_keys={"1": _text(secrets.token_bytes(32))},
        session_keys={"1": _text(secrets.token_bytes(32))},
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
