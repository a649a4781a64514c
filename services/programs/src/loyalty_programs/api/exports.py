"""The ledger as a file, for spreadsheets and for other systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, current_app

from loyalty_common import fields, web
from loyalty_common.downloads import csv_response, csv_text
from loyalty_common.errors import ValidationFailed
from loyalty_common.openapi import Blueprint
from loyalty_programs.api import edge
from loyalty_programs.api.points import Transaction
from loyalty_programs.api.receipts import DateOrTime
from loyalty_programs.domain import export_queries, queries, shapes

blueprint = Blueprint("Exports", __name__, url_prefix="/v1/exports", description=__doc__)

_HEADER = tuple(Transaction().fields)
_TEXTS = ("purchase_reference", "notes")


class ExportQuery(fields.Schema):
    loyalty_card_id = fields.Identifier()
    first = DateOrTime(data_key="from", metadata={"description": "Happened then or later."})
    last = DateOrTime(data_key="to", metadata={"description": "Happened then or earlier, a date to its end."})


@blueprint.route("/transactions.csv", methods=["GET"])
@blueprint.download("customers:read", media_types=("text/csv",), query=ExportQuery, timeout_s=600)
def export_transactions(query: Mapping[str, Any]) -> Response:
    """Export point transactions

    Oldest first. Dates are days in the time zone of the card's location, or of the organization where no card is named.
    """
    call, card_id = web.current_call(), query["loyalty_card_id"]
    found = export_queries.transactions(
        current_app.extensions["engine"],
        call.tenant_id,
        filters=query,
        time_zone=call.organization.time_zone if card_id is None else _time_zone_of(card_id),
    )
    return csv_response(_HEADER, _cells(found), file_name="transactions.csv")


def _time_zone_of(card_id: int) -> str:
    with edge.read() as tx:
        card = queries.loyalty_card(tx, card_id=card_id)
        if card is None:
            raise ValidationFailed(details={"loyalty_card_id": ["The loyalty card does not exist."]})
        return queries.home_time_zone(tx, card)


def _cells(transactions: Iterator[Any]) -> Iterator[list[object]]:
    for row in transactions:
        shown = shapes.transaction(row._asdict())
        yield [csv_text(shown[name]) if name in _TEXTS else shown[name] for name in _HEADER]
