"""Import customers from a file, with the points that they bring along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import marshmallow as ma
import orjson
from flask import Response, current_app

from loyalty_common import database, fields, pagination, web
from loyalty_common.downloads import csv_response, csv_text
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_customers.api import uploads
from loyalty_customers.domain import import_queries, imports
from loyalty_customers.domain.import_files import CSV, JSON_LINES
from loyalty_customers.domain.importing import ERASED
from loyalty_customers.domain.imports import Upload

blueprint = Blueprint("Imports", __name__, url_prefix="/v1/imports", description=__doc__)

_MEDIA_TYPES = (CSV, JSON_LINES)
_LIMIT_BYTES = 64 * 1024 * 1024
_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
# Read by the gateway, which lets no other body than JSON pass.
_UPLOAD = {"media_types": list(_MEDIA_TYPES), "limit_bytes": _LIMIT_BYTES, "class": "files"}
_BODY = {"required": True, "content": {media_type: {"schema": {"type": "string"}} for media_type in _MEDIA_TYPES}}


class UploadQuery(fields.Schema):
    type = fields.Choice("customers", required=True)
    file_name = fields.Text(metadata={"description": "Comes back as it is, for whoever looks at the list."})


class Job(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": ["import"]})
    status = ma.fields.String(required=True, metadata={"enum": list(_STATUSES)})
    total = ma.fields.Integer(required=True, allow_none=True)
    processed = ma.fields.Integer(required=True)
    succeeded = ma.fields.Integer(required=True)
    failed = ma.fields.Integer(required=True)
    error = ma.fields.String(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    started_at = ma.fields.DateTime(required=True, allow_none=True)
    finished_at = ma.fields.DateTime(required=True, allow_none=True)


class Import(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": ["customers"]})
    file_name = ma.fields.String(required=True, allow_none=True)
    job = ma.fields.Nested(Job, required=True)
    created_count = ma.fields.Integer(required=True)
    existing_count = ma.fields.Integer(required=True)
    errors_url = ma.fields.String(required=True)
    created_at = ma.fields.DateTime(required=True)


def check_exists(*, import_id: int) -> None:
    """``NotFound`` for an import that is not the caller's."""
    _existing(import_id)


@blueprint.route("", methods=["POST"])
@blueprint.doc(requestBody=_BODY, **{"x-loyalty": _UPLOAD})  # type: ignore[untyped-decorator]
@blueprint.operation("customers:write", query=UploadQuery, answers={201: Import}, timeout_s=120)
def create_import(query: Mapping[str, Any]) -> Response:
    """Import customers from a file

    CSV (separated by commas, semicolons or tabs, the first row names the columns) or JSON lines, in UTF-8, at most
    64 MiB. email is required; name, phone, loyalty_card_id, points and member_since are optional. Who exists already is
    left as he is. A row with loyalty_card_id makes the customer a member, with points as the opening balance.
    """
    call, media_type = web.current_call(), uploads.media_type(_MEDIA_TYPES)
    with uploads.received(limit_bytes=_LIMIT_BYTES) as (file, digest):
        call.body = {**query, "media_type": media_type, "sha256": digest}
        upload = Upload(
            **query,
            file=file,
            media_type=media_type,
            organization_id=call.organization.id,
            country=call.organization.country,
            scopes=call.caller.scopes,
        )
        request = web.request_key()
        reply = database.perform(
            current_app.extensions["engine"],
            call.tenant_id,
            lambda tx: imports.create(tx, upload=upload, request=request, base_url=_base_url(), at=call.now),
        )
    return web.respond(reply)


@blueprint.route("", methods=["GET"])
@blueprint.listing("customers:read", of=Import, query=ListQuery)
def list_imports(query: Mapping[str, Any]) -> Response:
    """List imports"""
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        return pagination.page_of(
            tx, import_queries.all_imports(), by=import_queries.NEWEST_FIRST, query=query, show=_shown
        )


@blueprint.route("/<id:import_id>", methods=["GET"])
@blueprint.operation("customers:read", answers={200: Import})
def retrieve_import(import_id: int) -> Response:
    """Retrieve an import and how far it has come"""
    return web.answer(_shown(_existing(import_id)))


@blueprint.route("/<id:import_id>/errors.csv", methods=["GET"])
@blueprint.download("customers:read", media_types=(CSV,), timeout_s=600)
def download_import_errors(import_id: int) -> Response:
    """Download the rows that failed

    The row's number, the field and what is wrong with it, then the row's own columns. Kept for 30 days.
    """
    columns = _existing(import_id).columns
    header = ("row", "field", "message", *map(csv_text, columns))
    return csv_response(header, _errors(import_id, len(columns)), file_name=f"import-{import_id}-errors.csv")


@blueprint.route("/<id:import_id>/cancel", methods=["POST"])
@blueprint.operation("customers:write", body=fields.Nothing, answers={200: Import})
def cancel_import(_: Mapping[str, Any], import_id: int) -> Response:
    """Cancel an import

    Rows that are done stay done; of one that has ended already nothing changes.
    """
    call, request = web.current_call(), web.request_key()
    reply = database.perform(
        current_app.extensions["engine"],
        call.tenant_id,
        lambda tx: imports.cancel(tx, import_id=import_id, request=request, base_url=_base_url(), at=call.now),
    )
    return web.respond(reply)


def _existing(import_id: int) -> Any:
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        return pagination.one_or_404(import_queries.by_id(tx, import_id=import_id))


def _errors(import_id: int, width: int) -> Iterator[list[object]]:
    engine, tenant_id = current_app.extensions["engine"], web.current_call().tenant_id
    for row in import_queries.failed_rows(engine, tenant_id, import_id=import_id):
        cells = [_cell(value) for value in orjson.loads(row.content or "[]")]
        for field, sentences in (row.errors or ERASED).items():
            for sentence in sentences:
                yield [row.row_number, csv_text(field), csv_text(sentence), *cells, *[None] * (width - len(cells))]


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return csv_text(value)
    return csv_text(orjson.dumps(value).decode())


def _shown(row: Any) -> dict[str, Any]:
    return imports.shown(row._asdict(), base_url=_base_url())


def _base_url() -> str:
    base_url: str = current_app.config["PUBLIC_BASE_URL"]
    return base_url
