"""Take what is yours along, as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from loyalty_common.downloads import csv_response, csv_text
from loyalty_common.openapi import Blueprint
from loyalty_vouchers.api import edge, periods
from loyalty_vouchers.api.redemptions import VoucherRedemption
from loyalty_vouchers.domain import shapes, streams

blueprint = Blueprint("Exports", __name__, url_prefix="/v1/exports", description=__doc__)

_HEADER = tuple(VoucherRedemption().fields)
# What people typed; the others are ours, and stay as they are.
_TYPED = frozenset(("voucher_code", "order_reference", "notes"))


@blueprint.route("/redemptions.csv", methods=["GET"])
@blueprint.download("customers:read", media_types=["text/csv"], query=periods.PeriodQuery)
def export_redemptions(query: Mapping[str, Any]) -> Response:
    """Download all redemptions of vouchers

    By the time at which they happened, the oldest first. from and to are days of the organization, both included, or
    moments, the second excluded. What a spreadsheet would take for a formula begins with an apostrophe.
    """
    found = streams.redemptions(edge.read, period=periods.asked_for(query))
    rows = (_cells(shapes.redemption(row._mapping)) for row in found)
    return csv_response(_HEADER, rows, file_name="redemptions.csv")


def _cells(redemption: Mapping[str, Any]) -> list[Any]:
    return [csv_text(redemption[name]) if name in _TYPED else redemption[name] for name in _HEADER]
