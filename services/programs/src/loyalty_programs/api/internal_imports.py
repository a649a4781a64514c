"""For the customers service: the balances that imported customers bring along."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Blueprint, Response, current_app, request

from loyalty_common import fields, strict_json, web
from loyalty_common.database import Transaction, perform
from loyalty_common.directory import DirectoryFallback
from loyalty_common.errors import Details
from loyalty_programs.domain import opening_balances
from loyalty_programs.domain.opening_facts import OpeningBalance
from loyalty_programs.models import directory

blueprint = Blueprint("internal_imports", __name__, url_prefix="/internal")

_MOST_BALANCES = 500


class _Balance(fields.Schema):
    row = fields.Integer(required=True)
    customer = ma.fields.Dict(required=True)
    version = fields.Integer(required=True)
    loyalty_card_id = fields.Identifier(required=True)
    points = fields.Integer(minimum=0, required=True)
    member_since = fields.Date()


class _Batch(fields.Schema):
    import_id = fields.Identifier(required=True)
    organization_id = fields.Identifier(required=True)
    balances = ma.fields.List(
        ma.fields.Nested(_Balance), required=True, validate=ma.validate.Length(max=_MOST_BALANCES)
    )


@blueprint.post("/opening-balances")
def open_balances() -> Response:
    """``{import_id, organization_id, balances: [{row, customer, version, loyalty_card_id, points, member_since}]}`` →
    ``{refused: [{row, details}]}``; all others are booked, now or by an earlier call for the same import and row."""
    batch = _Batch().load(strict_json.loads(request.get_data()))
    call = web.current_call()
    fallback: DirectoryFallback = current_app.extensions["directory"]
    perform(current_app.extensions["engine"], call.tenant_id, lambda tx: _learn(tx, batch["balances"]))
    refused: dict[int, Details] = {}
    for part in opening_balances.one_of_each([_asked(sent, batch["import_id"]) for sent in batch["balances"]]):

        def record(tx: Transaction, part: list[OpeningBalance] = part) -> dict[int, Details]:
            return opening_balances.record(tx, part, at=call.now, choose=secrets.randbelow)

        refused |= fallback.perform(call.tenant_id, batch["organization_id"], record)
    return web.answer({"refused": [{"row": row, "details": details} for row, details in sorted(refused.items())]})


def _learn(tx: Transaction, balances: list[Mapping[str, Any]]) -> None:
    """Their owner says who these are, before its events do."""
    known = [(sent["customer"]["id"], sent["customer"], sent["version"]) for sent in balances]
    directory.learn_customers(
        tx,
        [
            {"customer_id": customer_id, "profile": profile, "version": version, "erased_at": None}
            for customer_id, profile, version in known
        ],
    )


def _asked(sent: Mapping[str, Any], import_id: int) -> OpeningBalance:
    return OpeningBalance(
        row=sent["row"],
        reference=f"import:{import_id}:row:{sent['row']}",
        customer_id=sent["customer"]["id"],
        card_id=sent["loyalty_card_id"],
        points=sent["points"],
        member_since=sent["member_since"],
    )
