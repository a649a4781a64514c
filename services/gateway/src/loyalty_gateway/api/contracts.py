"""The services' OpenAPI documents, as ``make openapi`` wrote them: where the gateway learns what is public."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

METHODS = ("get", "post", "put", "patch", "delete")
SERVICE_PREFIX = "/v1/"


class Operation(NamedTuple):
    """One public operation: ``path`` as the service serves it, ``spec`` as the document has it."""

    service: str
    method: str
    path: str
    spec: Mapping[str, Any]


def load(folder: Path, services: Iterable[str]) -> dict[str, Any]:
    """Document by service. A missing one is a ``FileNotFoundError``: better no gateway than one that lacks routes."""
    return {service: json.loads((folder / f"{service}.json").read_text(encoding="utf-8")) for service in services}


def public_operations(documents: Mapping[str, Any]) -> Iterator[Operation]:
    """An operation is public if it says with ``x-loyalty`` how it is to be guarded."""
    for service, document in documents.items():
        for path, item in document.get("paths", {}).items():
            for method in METHODS:
                if path.startswith(SERVICE_PREFIX) and "x-loyalty" in item.get(method, {}):
                    yield Operation(service, method.upper(), path, item[method])
