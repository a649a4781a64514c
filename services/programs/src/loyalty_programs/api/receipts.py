"""What is sent about a customer and a purchase, for points and for stamps alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import marshmallow as ma

from loyalty_common import fields, web
from loyalty_common.money import has_too_many_decimals, minor_digits
from loyalty_common.pagination import ListQuery
from loyalty_programs.domain.acts import AHEAD, BACK, Receipt
from loyalty_programs.domain.people import CustomerName

_YEARS = range(1970, 3000)
_DATE, _TIME = fields.Date(), fields.Timestamp()


class CustomerFields(fields.Schema):
    """Who: every write takes one of the two, or both if they are the same person's."""

    customer_id = fields.Identifier()
    customer_email = fields.Email()

    @ma.validates_schema
    def _names_somebody(self, sent: Mapping[str, Any], **_: Any) -> None:
        if sent["customer_id"] is None and sent["customer_email"] is None:
            raise ma.ValidationError({"customer_id": ["The :field field is required unless customer_email is given."]})


class TillFields(CustomerFields):
    """What a till says of anything that happened there."""

    reference = fields.Text(metadata={"description": "Used once for ever: a repetition answers the original."})
    partner_location_id = fields.Identifier()
    notes = fields.Text(max_length=1000, multiline=True)
    occurred_at = fields.Timestamp(
        metadata={"description": "At most 30 days back, for a till that was offline; now if left out."}
    )

    @ma.validates_schema
    def _happened_lately(self, sent: Mapping[str, Any], **_: Any) -> None:
        check_happened_lately(sent["occurred_at"])


class ReceiptFields(TillFields):
    amount = fields.Number()
    currency = fields.CurrencyCode()

    @ma.validates_schema
    def _is_an_amount_of_money(self, sent: Mapping[str, Any], **_: Any) -> None:
        amount, currency = sent["amount"], sent["currency"]
        if amount is not None and currency is None:
            raise ma.ValidationError({"currency": ["The :field field is required with amount."]})
        if amount is None and currency is not None:
            raise ma.ValidationError({"amount": ["The :field field is required with currency."]})
        if amount is not None:
            check_decimals(amount, currency)


def check_happened_lately(occurred_at: datetime | None) -> None:
    now = web.current_call().now
    if occurred_at is not None and not now - BACK <= occurred_at <= now + AHEAD:
        sentence = "The :field field may be at most 30 days back and 5 minutes ahead."
        raise ma.ValidationError({"occurred_at": [sentence]})


def check_decimals(amount: Decimal, currency: str) -> None:
    if has_too_many_decimals(amount, currency):
        sentence = f"The :field field may have at most {minor_digits(currency)} decimals in {currency}."
        raise ma.ValidationError({"amount": [sentence]})


class DateOrTime(fields.Field):
    """A moment, or a date that means the whole local day."""

    openapi = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date | datetime:
        kind = _DATE if isinstance(value, str) and len(value) == len("2026-05-16") else _TIME
        moment: date | datetime = kind._deserialize(value, attr, data, **kwargs)
        if moment.year not in _YEARS:
            raise ma.ValidationError("The :field field must be a time between 1970 and 2999.")
        return moment


class LedgerQuery(ListQuery):
    """Filters of what happened to members of a loyalty card."""

    customer_id = fields.Identifier()
    customer_email = fields.Email()
    reference = fields.Text()
    first = DateOrTime(data_key="from")
    last = DateOrTime(data_key="to")


def customer_name(sent: Mapping[str, Any]) -> CustomerName:
    return CustomerName(customer_id=sent["customer_id"], email=sent["customer_email"])


def receipt(sent: Mapping[str, Any], *, operation: str) -> Receipt:
    return Receipt(
        occurred_at=sent["occurred_at"] or web.current_call().now,
        operation=operation,
        reference=sent["reference"],
        partner_location_id=sent["partner_location_id"],
        notes=sent["notes"],
    )
