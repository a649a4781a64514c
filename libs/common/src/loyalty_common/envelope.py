"""The one shape of every answer: ``{"data", "meta"}`` or ``{"error", "meta"}``, written by orjson."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from loyalty_common.errors import ApiError

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)

# ISO 4217 currencies whose minor unit is not two digits.
_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"), 0),
    **dict.fromkeys(("VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def minor_digits(currency: str) -> int:
    """How many decimals an amount of this currency may have (ISO 4217)."""
    return _MINOR_DIGITS.get(currency, 2)


def money(amount: Decimal, currency: str | None = None) -> str:
    """Decimals leave as strings with at least two digits, more where the currency has them: ``"1000.00"`` JPY."""
    return f"{amount:.{max(2, minor_digits(currency) if currency else 2)}f}"


def timestamp(moment: datetime) -> str:
    """Whole seconds in UTC, ``2026-05-16T10:12:00+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def request_id_from(header: str | None) -> str:
    """The caller's own id if it is a harmless one, else a new one."""
    return header if header and _REQUEST_ID.fullmatch(header) else str(uuid.uuid4())


def dumps(value: Any) -> bytes:
    return orjson.dumps(value)


def success(data: Any, *, request_id: str, meta: Mapping[str, Any] | None = None, links: Any = None) -> bytes:
    body = {"data": data, "meta": {"request_id": request_id, **(meta or {})}}
    if links is not None:
        body["links"] = links
    return orjson.dumps(body)


def failure(error: ApiError, *, request_id: str) -> bytes:
    return orjson.dumps(
        {
            "error": {
                "code": error.code,
                "message": error.message,
                "reason": error.reason,
                "details": {field: list(sentences) for field, sentences in error.details.items()},
            },
            "meta": {"request_id": request_id},
        }
    )
