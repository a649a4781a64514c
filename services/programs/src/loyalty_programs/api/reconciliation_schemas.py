"""What is sent and answered about reconciliations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import marshmallow as ma

from loyalty_common import fields, web
from loyalty_common.pagination import ListQuery
from loyalty_programs.api.receipts import check_decimals, check_happened_lately
from loyalty_programs.domain.reconciling import STATUSES

MAX_ENTRIES = 5_000
_WINDOW_BACK = timedelta(days=31)
_REQUIRED = dict.fromkeys(("required", "null"), "The :field field is required.")


class EntryFields(fields.Schema):
    reference = fields.Text(required=True)
    amount = fields.Number(required=True)
    currency = fields.CurrencyCode(required=True)
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    occurred_at = fields.Timestamp(
        metadata={"description": "At most 30 days back; if left out, a missing entry is posted as of its application."}
    )

    @ma.validates_schema
    def _is_an_amount_of_money(self, sent: Mapping[str, Any], **_: Any) -> None:
        check_decimals(sent["amount"], sent["currency"])

    @ma.validates_schema
    def _happened_lately(self, sent: Mapping[str, Any], **_: Any) -> None:
        check_happened_lately(sent["occurred_at"])


class ReconciliationFields(fields.Schema):
    loyalty_card_id = fields.Identifier(required=True)
    from_at = fields.Timestamp(required=True, data_key="from", metadata={"description": "At most 31 days back."})
    to_at = fields.Timestamp(required=True, data_key="to", metadata={"description": "Not included."})
    entries = ma.fields.List(
        ma.fields.Nested(EntryFields, error_messages={**_REQUIRED, "type": "The :field field must be an object."}),
        required=True,
        validate=ma.validate.Length(1, MAX_ENTRIES, error=f"The :field field must have 1 to {MAX_ENTRIES} items."),
        error_messages={**_REQUIRED, "invalid": "The :field field must be a list."},
    )

    @ma.validates_schema
    def _is_a_window(self, sent: Mapping[str, Any], **_: Any) -> None:
        if sent["from_at"] < web.current_call().now - _WINDOW_BACK:
            raise ma.ValidationError({"from": ["The :field field may be at most 31 days back."]})
        if sent["to_at"] <= sent["from_at"]:
            raise ma.ValidationError({"to": ["The :field field must be after from."]})

    @ma.validates_schema
    def _names_each_receipt_once(self, sent: Mapping[str, Any], **_: Any) -> None:
        seen: dict[str, int] = {}
        repeated = {}
        for position, entry in enumerate(sent["entries"]):
            first = seen.setdefault(entry["reference"], position)
            if first != position:
                repeated[position] = {"reference": [f"The :field field is the same as that of entries.{first}."]}
        if repeated:
            raise ma.ValidationError({"entries": repeated})


class EntryQuery(ListQuery):
    status = fields.Choice(*STATUSES)


class Counts(ma.Schema):
    matched = ma.fields.Integer(required=True)
    missing = ma.fields.Integer(required=True)
    amount_differs = ma.fields.Integer(required=True)
    reversed = ma.fields.Integer(required=True)
    not_in_request = ma.fields.Integer(required=True)


class ReconciliationEntry(ma.Schema):
    reference = ma.fields.String(required=True, allow_none=True)
    status = ma.fields.String(required=True, metadata={"enum": list(STATUSES)})
    amount = ma.fields.String(required=True, allow_none=True)
    recorded_amount = ma.fields.String(required=True, allow_none=True)
    currency = ma.fields.String(required=True, allow_none=True)
    recorded_currency = ma.fields.String(required=True, allow_none=True)
    customer_id = ma.fields.Integer(required=True, allow_none=True)
    occurred_at = ma.fields.DateTime(required=True, allow_none=True)
    transaction_id = ma.fields.Integer(required=True, allow_none=True)
    applied_transaction_id = ma.fields.Integer(required=True, allow_none=True)
    error = ma.fields.String(required=True, allow_none=True)


class ReconciliationJob(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": ["reconciliation"]})
    status = ma.fields.String(required=True, metadata={"enum": ["running", "succeeded"]})
    total = ma.fields.Integer(required=True)
    processed = ma.fields.Integer(required=True)
    succeeded = ma.fields.Integer(required=True)
    failed = ma.fields.Integer(required=True)
    error = ma.fields.String(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    started_at = ma.fields.DateTime(required=True)
    finished_at = ma.fields.DateTime(required=True, allow_none=True)


class ListedReconciliation(ma.Schema):
    id = ma.fields.Integer(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    from_at = ma.fields.DateTime(required=True, data_key="from")
    to_at = ma.fields.DateTime(required=True, data_key="to")
    status = ma.fields.String(required=True, metadata={"enum": ["compared", "applying", "applied"]})
    counts = ma.fields.Nested(Counts, required=True)
    job = ma.fields.Nested(ReconciliationJob, required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    applied_at = ma.fields.DateTime(required=True, allow_none=True)


class Reconciliation(ListedReconciliation):
    entries = ma.fields.List(ma.fields.Nested(ReconciliationEntry), required=True)
