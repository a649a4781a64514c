"""Files are taken in and cancelled; what a job is doing is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

import orjson
from sqlalchemy import bindparam, literal, select

from loyalty_common.database import Transaction
from loyalty_common.envelope import timestamp
from loyalty_common.errors import Forbidden, NotFound
from loyalty_common.fields import normalized_email
from loyalty_common.idempotency import Reply, RequestKey, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_customers.domain import import_files
from loyalty_customers.domain.import_files import Sheet
from loyalty_customers.models import Import, idempotency, import_ids, job_ids

_IMPORTS = Import.__table__
_LONGEST_EMAIL = 254
_START = select(literal(1).label("one")).subquery("start")
_LOAD = select(
    import_ids.next_value().label("import_id"), job_ids.next_value().label("job_id"), *replay_columns(idempotency)
).select_from(_START.outerjoin(idempotency, same_key(idempotency)))
_COPY = "copy import_rows (tenant_id, import_id, row_number, email_key, content) from stdin"
_RECORD = Record(inserts=(_IMPORTS, idempotency))
_LOAD_ONE = (
    select(_IMPORTS, *replay_columns(idempotency))
    .select_from(_IMPORTS.outerjoin(idempotency, same_key(idempotency)))
    .where(Import.tenant_id == bindparam("tenant_id"), Import.id == bindparam("import_id"))
    .with_for_update(of=_IMPORTS)
)
_STOP = Record(guard=(_IMPORTS, ("status", "due_at")), inserts=(idempotency,))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that arrived whole. ``scopes`` are the caller's: a balance needs one that a profile does not."""

    file: BinaryIO
    media_type: str
    type: str
    file_name: str | None
    organization_id: int
    country: str
    scopes: frozenset[str]


def create(tx: Transaction, *, upload: Upload, request: RequestKey, base_url: str, at: datetime) -> Reply:
    """The file's rows and its job, queued: all of it or, if the file cannot be read, nothing."""
    loaded = tx.execute(_LOAD, {"idempotency_key": request.key}).one()
    reply = stored_reply(loaded, request)
    if reply is not None:
        return reply
    with import_files.reading(upload.file, upload.media_type) as sheet:
        total = _copy(tx, sheet, import_id=loaded.import_id)
    _check_scopes(sheet, upload.scopes)
    row = {
        **dict.fromkeys(("succeeded", "failed", "created_count", "existing_count", "attempts"), 0),
        **dict.fromkeys(("recorded_through", "settled_through", "version"), 0),
        **dict.fromkeys(("error", "started_at", "finished_at")),
        "id": loaded.import_id,
        "job_id": loaded.job_id,
        "organization_id": upload.organization_id,
        "country": upload.country,
        "type": upload.type,
        "file_name": upload.file_name,
        "columns": sheet.columns,
        "status": "queued",
        "total": total,
        "due_at": at,
        "created_at": at,
    }
    reply = Reply(201, shown(row, base_url=base_url), meta=_warnings(sheet))
    _RECORD.write(tx, {_IMPORTS: [row], idempotency: [idempotency_row(request, reply, at=at)]})
    return reply


def _copy(tx: Transaction, sheet: Sheet, *, import_id: int) -> int:
    place, total = sheet.columns.index("email"), 0
    cursor: Any = tx.connection.connection.cursor()
    with cursor, cursor.copy(_COPY) as copy:
        for number, cells in sheet.rows:
            total += 1
            content = orjson.dumps(cells, default=_as_sent).decode()
            copy.write_row((tx.tenant_id, import_id, number, _email_key(cells, place), content))
    return total


def _email_key(cells: list[Any], place: int) -> str | None:
    email = cells[place] if place < len(cells) else None
    # What is longer is no e-mail, and too long for the index.
    if not isinstance(email, str) or len(email) > _LONGEST_EMAIL:
        return None
    return normalized_email(unicodedata.normalize("NFC", email.strip()))


def _as_sent(number: Decimal) -> int | str:
    return int(number) if number == number.to_integral_value() and abs(number) < 2**63 else str(number)


def _check_scopes(sheet: Sheet, scopes: frozenset[str]) -> None:
    """A key that may not credit points must not do so by a file, either."""
    if "loyalty_card_id" in sheet.columns and "programs:write" not in scopes:
        raise Forbidden("Opening balances need the scope programs:write.", reason="insufficient_scope")


def _warnings(sheet: Sheet) -> dict[str, Any]:
    names = import_files.unknown(sheet.columns)
    told = [{"field": name, "message": f"The {name} column is unknown and was ignored."} for name in names]
    return {"warnings": told} if told else {}


def cancel(tx: Transaction, *, import_id: int, request: RequestKey, base_url: str, at: datetime) -> Reply:
    """No further row is taken up; one whose customer is there already still gets its balance. Done ones stay done."""
    loaded = tx.execute(_LOAD_ONE, {"import_id": import_id, "idempotency_key": request.key}).one_or_none()
    if loaded is None:
        raise NotFound
    reply = stored_reply(loaded, request)
    if reply is not None:
        return reply
    row, stopped = loaded._asdict(), []
    if loaded.status in ("queued", "running"):
        # Due at once: a worker forgets the rows that are left.
        row |= {"status": "cancelled", "due_at": at}
        stopped = [{name: row[name] for name in ("id", "version", "status", "due_at")}]
    reply = Reply(200, shown(row, base_url=base_url))
    _STOP.write(tx, {idempotency: [idempotency_row(request, reply, at=at)]}, guard=stopped)
    return reply


def shown(row: Mapping[str, Any], *, base_url: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "type": row["type"],
        "file_name": row["file_name"],
        "job": _job(row),
        "created_count": row["created_count"],
        "existing_count": row["existing_count"],
        "errors_url": f"{base_url}/imports/{row['id']}/errors.csv",
        "created_at": timestamp(row["created_at"]),
    }


def _job(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["job_id"],
        "type": "import",
        "status": row["status"],
        "total": row["total"],
        "processed": row["succeeded"] + row["failed"],
        "succeeded": row["succeeded"],
        "failed": row["failed"],
        "error": row["error"],
        "created_at": timestamp(row["created_at"]),
        "started_at": timestamp(row["started_at"]) if row["started_at"] else None,
        "finished_at": timestamp(row["finished_at"]) if row["finished_at"] else None,
    }
