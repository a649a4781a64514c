"""Lists: newest first by (created_at, id), by page with totals or by cursor at a cost that does not grow with depth."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import marshmallow
import orjson
from flask import Response, current_app, request
from sqlalchemy import Row, Select, SQLColumnExpression, func, select, tuple_

from loyalty_common import fields, web
from loyalty_common.database import Transaction
from loyalty_common.errors import InvalidCursor, NotFound

_CURSOR_SENTENCE = "The cursor field is not a cursor of ours."


class ListQuery(fields.Schema):
    """Every list takes these; a list with filters extends it."""

    page = fields.Integer()
    per_page = fields.Integer(maximum=100, load_default=15)
    cursor = fields.Text(max_length=500, metadata={"description": "Empty to start; then as links.next has it."})

    @marshmallow.validates_schema
    def _one_way_to_page(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["page"] is not None and "cursor" in request.args:
            raise marshmallow.ValidationError({"cursor": ["The cursor field may not be combined with page."]})


def page_of(
    tx: Transaction,
    rows: Select[Any],
    *,
    by: tuple[SQLColumnExpression[datetime], SQLColumnExpression[int]],
    query: Mapping[str, Any],
    show: Callable[[Row[Any]], Any],
    parameters: Mapping[str, Any] | None = None,
) -> Response:
    """Answer one page of ``rows``, which names ``tenant_id`` and has no order; ``by`` is (created_at, id)."""
    ordered = rows.order_by(by[0].desc(), by[1].desc())
    if "cursor" in request.args:
        return _by_cursor(tx, ordered, by=by, query=query, show=show, parameters=parameters)
    page, per_page = query["page"] or 1, query["per_page"]
    # OFFSET is a bigint: a page beyond it is past the end like any other.
    window = ordered.limit(per_page).offset(min((page - 1) * per_page, 2**62))
    total = tx.execute(select(func.count()).select_from(rows.subquery()), parameters).scalar_one()
    found = tx.execute(window, parameters).all() if total else []
    last = max(1, -(-total // per_page))
    meta = {"current_page": page, "last_page": last, "per_page": per_page, "total": total}
    links = {
        "first": link(page=1),
        "last": link(page=last),
        "prev": link(page=min(page - 1, last)) if page > 1 and total else None,
        "next": link(page=page + 1) if page < last else None,
    }
    return web.answer([show(row) for row in found], meta=meta, links=links)


def _by_cursor(
    tx: Transaction,
    ordered: Select[Any],
    *,
    by: tuple[SQLColumnExpression[datetime], SQLColumnExpression[int]],
    query: Mapping[str, Any],
    show: Callable[[Row[Any]], Any],
    parameters: Mapping[str, Any] | None,
) -> Response:
    per_page = query["per_page"]
    if query["cursor"]:
        ordered = ordered.where(tuple_(*by) < tuple_(*decode(query["cursor"])))
    keyed = ordered.add_columns(by[0].label("cursor_at"), by[1].label("cursor_id")).limit(per_page + 1)
    found = tx.execute(keyed, parameters).all()
    more = len(found) > per_page
    found = found[:per_page]
    meta = {"current_page": None, "last_page": None, "per_page": per_page, "total": None}
    following = link(cursor=encode(found[-1].cursor_at, found[-1].cursor_id)) if more else None
    links = {"first": link(cursor=""), "last": None, "prev": None, "next": following}
    return web.answer([show(row) for row in found], meta=meta, links=links)


def link(**position: Any) -> str:
    """The public URL of this list with the caller's other parameters first; never built from Host."""
    kept = [(key, value) for key, value in request.args.items(multi=True) if key not in ("page", "cursor")]
    base: str = current_app.config["PUBLIC_BASE_URL"]
    return f"{base}{request.path.removeprefix('/v1')}?{urlencode([*kept, *position.items()])}"


def encode(at: datetime, row_id: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps({"t": at.isoformat(), "i": row_id})).rstrip(b"=").decode()


def decode(cursor: str) -> tuple[datetime, int]:
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        at, row_id = datetime.fromisoformat(position["t"]), position["i"]
        if type(row_id) is int and at.tzinfo is not None:
            return at, row_id
    except (ValueError, TypeError, KeyError, binascii.Error, OverflowError):
        pass
    raise InvalidCursor(details={"cursor": [_CURSOR_SENTENCE]})


def one_or_404(row: Row[Any] | None) -> Row[Any]:
    if row is None:
        raise NotFound
    return row
