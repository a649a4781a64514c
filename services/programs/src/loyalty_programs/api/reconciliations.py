"""Compare the receipts of a till that was offline with the points ledger, and post what is missing."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.errors import NotFound, RequestInProgress, Unavailable
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.api.reconciliation_schemas import (
    EntryQuery,
    ListedReconciliation,
    Reconciliation,
    ReconciliationEntry,
    ReconciliationFields,
)
from loyalty_programs.domain import reconciliation_queries, reconciliations, shapes
from loyalty_programs.domain.applying import Work, apply_some
from loyalty_programs.domain.reconciliations import Window
from loyalty_programs.domain.reconciling import SentEntry

blueprint = Blueprint("Reconciliations", __name__, url_prefix="/v1/reconciliations", description=__doc__)

_AT_ONCE = 100
"""How many entries a request applies itself; the rest is left to the worker."""


def check_exists(*, reconciliation_id: int) -> None:
    """``NotFound`` for a reconciliation that is not the caller's."""
    with edge.read() as tx:
        if not reconciliation_queries.exists(tx, reconciliation_id=reconciliation_id):
            raise NotFound


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=ReconciliationFields, answers={201: Reconciliation}, timeout_s=30)
def create_reconciliation(sent: Mapping[str, Any]) -> Response:
    """Compare receipts with the ledger

    Every entry is matched, missing, amount_differs or reversed, by its reference among the card's transactions; what
    was purchased from `from` on and before `to` and is not among the entries is not_in_request. Nothing is posted.
    """
    window = Window(sent["from_at"], sent["to_at"])
    entries = [SentEntry(**entry) for entry in sent["entries"]]
    card_id = sent["loyalty_card_id"]
    return edge.write(
        lambda tx, act: reconciliations.create(tx, card_id=card_id, window=window, entries=entries, act=act)
    )


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=ListedReconciliation, query=ListQuery)
def list_reconciliations(query: Mapping[str, Any]) -> Response:
    """List reconciliations

    Without their entries, which have a list of their own.
    """
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            reconciliation_queries.all_reconciliations(),
            by=reconciliation_queries.RECONCILIATIONS_NEWEST,
            query=query,
            show=reconciliation_queries.shown_in_list,
        )


@blueprint.route("/<id:reconciliation_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: Reconciliation})
def retrieve_reconciliation(reconciliation_id: int) -> Response:
    """Retrieve a reconciliation"""
    with edge.read() as tx:
        shown = reconciliation_queries.reconciliation(tx, reconciliation_id=reconciliation_id)
    if shown is None:
        raise NotFound
    return web.answer(shown)


@blueprint.route("/<id:reconciliation_id>/entries", methods=["GET"])
@blueprint.listing("programs:read", of=ReconciliationEntry, query=EntryQuery)
def list_reconciliation_entries(query: Mapping[str, Any], reconciliation_id: int) -> Response:
    """List the entries of a reconciliation

    As every list the last one first.
    """
    check_exists(reconciliation_id=reconciliation_id)
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            reconciliation_queries.entries(query),
            by=reconciliation_queries.ENTRIES_NEWEST,
            query=query,
            show=lambda row: shapes.reconciliation_entry(row._asdict()),
            parameters={"reconciliation_id": reconciliation_id},
        )


@blueprint.route("/<id:reconciliation_id>/apply", methods=["POST"])
@blueprint.operation("programs:write", body=fields.Nothing, answers={200: Reconciliation}, timeout_s=30)
def apply_reconciliation(_: Mapping[str, Any], reconciliation_id: int) -> Response:
    """Post what is missing

    Each missing entry that names a customer earns as a purchase would, once; what the card refuses is said in the
    entry's error. A long reconciliation is still applying when this answers: retrieve it until it is applied.
    """
    act = edge.act()
    begun = edge.perform(lambda tx: reconciliations.begin(tx, reconciliation_id=reconciliation_id, act=act))
    if isinstance(begun, Reply):
        return web.respond(begun)
    # What has to wait is tried again by the worker.
    with suppress(Unavailable, RequestInProgress):
        apply_some(edge.perform, Work.of(begun), limit=_AT_ONCE, at=act.at, choose=secrets.randbelow)
    reply = edge.perform(lambda tx: reconciliations.report(tx, reconciliation_id=reconciliation_id, act=act))
    return web.respond(reply)
