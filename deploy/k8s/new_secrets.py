"""Prints new Secrets for overlays/local, to be given to ``kubectl apply``; none is ever in a file of the repository.

For production they are examples of what the store holds: see overlays/production/external-secrets.yaml.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loyalty_local.keys import Keys
from loyalty_local.layout import DATABASES

NAMESPACE = "loyalty"


def new_secrets() -> dict[str, dict[str, str]]:
    """The entries of each Secret, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys.of(Path(folder) / "keys.json")
    return dict(_servers()) | dict(_databases()) | dict(_keys(keys))


def _servers() -> Iterator[tuple[str, dict[str, str]]]:
    yield "postgres", {"password": secrets.token_hex(24)}
    password = secrets.token_hex(24)
    yield "redis", {"password": password, "url": f"redis://:{password}@redis:6379/0"}
    # Mails are written to the log; a mail server's is smtp://user:password@host:587.
    yield "mailer", {"MAILER_URL": "log"}
    # As the operator of RabbitMQ writes it.
    password = secrets.token_hex(24)
    url = f"amqp://loyalty:{password}@rabbitmq:5672/"
    yield "rabbitmq-default-user", {"username": "loyalty", "password": password, "connection_string": url}


def _databases() -> Iterator[tuple[str, dict[str, str]]]:
    """As CloudNativePG writes them."""
    for service, name in DATABASES.items():
        password = secrets.token_hex(24)
        url = f"postgresql://{name}:{password}@postgres:5432/{name}"
        yield f"{service}-db-app", {"username": name, "password": password, "uri": url}


def _keys(keys: Keys) -> Iterator[tuple[str, dict[str, str]]]:
    yield "identity", {"IDENTITY_PUBLIC_KEYS": json.dumps(keys.public_keys)}
    own = {
        "gateway": {
            "ACCOUNTS_PRIVATE_KEY": keys.private_keys["accounts"],
            "KEY_PEPPERS": json.dumps(keys.key_peppers),
        },
        "webhooks": {"SECRET_KEYS": json.dumps(keys.secret_keys)},
    }
    for service in DATABASES:
        yield f"{service}-keys", {"IDENTITY_PRIVATE_KEY": keys.private_keys[service]} | own.get(service, {})
    yield "dashboard-keys", {"SECRET_KEYS": json.dumps(keys.session_keys)}


def manifest() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "stringData": entries,
            }
            for name, entries in new_secrets().items()
        ],
    }


if __name__ == "__main__":
    json.dump(manifest(), sys.stdout, indent=2)
