"""The public pages that are the gateway's own and need no key: its document and its health."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect
from werkzeug import Response as AnyResponse

from loyalty_common import envelope

PATHS = frozenset(("/api/v1/openapi.json", "/livez", "/readyz"))


def paths(dashboard_url: str) -> frozenset[str]:
    return PATHS | {"/"} if dashboard_url else PATHS


def blueprint(document: dict[str, Any], *, dashboard_url: str = "") -> Blueprint:
    """``dashboard_url``: where whoever opens the bare address with a browser belongs, if anywhere."""
    pages = Blueprint("pages", __name__)
    # Written once: the document does not change while the process lives.
    text = envelope.dumps(document)

    @pages.get("/api/v1/openapi.json")
    def openapi() -> Response:
        return Response(text, content_type="application/json")

    if dashboard_url:

        @pages.get("/")
        def dashboard() -> AnyResponse:
            return redirect(dashboard_url)

    return pages
