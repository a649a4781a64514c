"""What a view answers when it has done something."""

from __future__ import annotations

from typing import Any

from flask import Response, flash

from loyalty_dashboard.api import Download
from loyalty_dashboard.web.redirects import see_other


def see(endpoint: str, *, said: str | None = None, **values: Any) -> Response:
    """To another page, which shows ``said`` at its top."""
    if said is not None:
        flash(said, "ok")
    return see_other(endpoint, **values)


def file(download: Download) -> Response:
    """A file of the API, passed on while it comes."""
    return Response(iter(download), headers=download.headers)
