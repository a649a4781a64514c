"""Prints a new .env: passwords and keys that exist nowhere else.

Run inside the gateway's image, since Python alone makes no Ed25519 keys:
``docker run --interactive --entrypoint python3 loyalty/gateway:local - NAME=value … < new_env.py``, with the variables
that are chosen and not made.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_DATABASES = ("ACCOUNTS", "CUSTOMERS", "PROGRAMS", "VOUCHERS", "WEBHOOKS")
_ISSUERS = ("GATEWAY", *_DATABASES)


def new_variables() -> dict[str, str]:
    pairs = {issuer: Ed25519PrivateKey.generate() for issuer in _ISSUERS}
    public = {issuer.lower(): [_text(pair.public_key().public_bytes_raw())] for issuer, pair in pairs.items()}
    servers = ("POSTGRES", "RABBITMQ", "REDIS", "GRAFANA", *(f"{name}_DATABASE" for name in _DATABASES))
    return {
        **{f"{name}_PASSWORD": secrets.token_hex(24) for name in servers},
        **{f"{issuer}_PRIVATE_KEY": _text(pair.private_bytes_raw()) for issuer, pair in pairs.items()},
        "IDENTITY_PUBLIC_KEYS": _json(public),
        "KEY_PEPPERS": _json({"1": _text(secrets.token_bytes(32))}),
        "SECRET_KEYS": _json({"1": _text(secrets.token_bytes(32))}),
        "SESSION_KEYS": _json({"1": _text(secrets.token_bytes(32))}),
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def main(chosen: list[str]) -> None:
    print("# Made by make up. As precious as the volumes: without these passwords and keys nobody reads them.")
    variables = dict(choice.split("=", 1) for choice in chosen) | new_variables()
    for name, value in variables.items():
        print(f"{name}='{value}'")


if __name__ == "__main__":
    main(sys.argv[1:])
