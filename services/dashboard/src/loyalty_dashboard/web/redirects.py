"""Where a page goes on after something was done: with 303, so that coming back or reloading does not do it again."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for


def see_other(endpoint: str, **values: Any) -> Response:
    return go_to(url_for(endpoint, **values))


def go_to(path: str) -> Response:
    return Response(status=303, headers={"Location": path})
