"""Lists of the API, a page at a time or whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request

from loyalty_dashboard.api import Answer
from loyalty_dashboard.web.calls import api

_PER_PAGE = 25
_MOST = 1_000


def listed(path: str, *, per_page: int = _PER_PAGE, **filters: Any) -> Answer:
    """The page that the address asks for by ``cursor``. What is empty among ``filters`` is none."""
    wanted = {name: value for name, value in filters.items() if value not in (None, "")}
    return api().get(path, cursor=request.args.get("cursor", ""), per_page=per_page, **wanted)


def asked(*names: str) -> dict[str, Any]:
    """Of the filters that a list has, those that the address carries."""
    return {name: request.args[name].strip() for name in names if request.args.get(name, "").strip()}


def everything(path: str, **filters: Any) -> Iterator[dict[str, Any]]:
    """For what an organization has a few of, such as locations; ends after a thousand."""
    caller, cursor, seen = api(), "", 0
    while True:
        answer = caller.get(path, cursor=cursor, per_page=100, **filters)
        yield from answer.data
        seen += len(answer.data)
        if answer.next_cursor is None or seen >= _MOST:
            return
        cursor = answer.next_cursor
