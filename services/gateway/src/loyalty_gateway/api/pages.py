"""The public pages that are the gateway's own and need no key: its document and its health."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from loyalty_common import envelope

PATHS = frozenset(("/api/v1/openapi.json", "/livez", "/readyz"))


def blueprint(document: dict[str, Any]) -> Blueprint:
    pages = Blueprint("pages", __name__)
    # Written once: the document does not change while the process lives.
    text = envelope.dumps(document)

    @pages.get("/api/v1/openapi.json")
    def openapi() -> Response:
        return Response(text, content_type="application/json")

    return pages
