"""What a view answers when it has done something."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, url_for

from loyalty_dashboard.api import Download


def see(endpoint: str, *, said: str | None = None, **values: Any) -> Response:
    """To another page, which shows ``said`` at its top."""
    if said is not None:
        flash(said, "ok")
    return Response(status=303, headers={"Location": url_for(endpoint, **values)})


def file(download: Download) -> Response:
    """A file of the API, passed on while it comes."""
    return Response(iter(download), headers=download.headers)
