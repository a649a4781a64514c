from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from marshmallow import ValidationError

from loyalty_common import fields


class Purchase(fields.Schema):
    email = fields.Email(required=True)
    name = fields.Text(max_length=20)
    notes = fields.Text(max_length=100, multiline=True)
    customer_id = fields.Identifier()
    quantity = fields.Integer(maximum=100, load_default=1)
    amount = fields.Number()
    currency = fields.CurrencyCode()
    is_active = fields.Flag(load_default=True)
    valid_from = fields.Date()
    occurred_at = fields.Timestamp()
    kind = fields.Choice("percent", "fixed")


def read(**sent: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = Purchase().load({"email": "alex@example.com", **sent})
    return loaded


def refusal(**sent: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        Purchase().load({"email": "alex@example.com", **sent})
    return fields.sentences(caught.value.messages)


@pytest.mark.parametrize("missing", [{"email": None}, {"email": ""}, {"email": "   "}])
def test_the_sentence_for_a_missing_field_is_that_of_the_reference(missing: dict[str, Any]) -> None:
    assert refusal(**missing) == {"email": ["The email field is required."]}


def test_strings_are_trimmed_composed_and_null_when_empty() -> None:
    assert read(name="  Zoe\u0301 ")["name"] == "Zo\u00e9"
    assert read(name=" ")["name"] is None
    assert read(quantity=None)["quantity"] == 1
    assert read(valid_from="", currency="", kind="")["kind"] is None
    assert list(refusal(quantity="", amount="", is_active="")) == ["quantity", "amount", "is_active"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "a\x7f", "a\x9fb"])
def test_a_query_string_may_not_smuggle_what_a_body_may_not_hold(text: str) -> None:
    assert refusal(notes=text) == {"notes": ["The notes field may not contain control characters."]}


@pytest.mark.parametrize(
    ("sent", "value"), [(24.5, None), (12, 12), ("12", 12), (Decimal("12.0"), 12), ("1_000", None), (True, None)]
)
def test_ids_and_counts_are_whole_numbers(sent: Any, value: int | None) -> None:
    if value is None:
        assert refusal(customer_id=sent) == {"customer_id": ["The customer id field must be an integer."]}
    else:
        assert read(customer_id=sent)["customer_id"] == value


@pytest.mark.parametrize(("sent", "value"), [("24.50", "24.50"), (Decimal("24.5"), "24.5"), (24, "24")])
def test_amounts_may_be_numbers_or_numeric_strings(sent: Any, value: str) -> None:
    assert read(amount=sent)["amount"] == Decimal(value)


@pytest.mark.parametrize("sent", [0, Decimal("-1"), "1e3", "abc", Decimal("10000000000"), True, [], "٣"])
def test_amounts_must_be_positive_and_of_a_size(sent: Any) -> None:
    assert list(refusal(amount=sent)) == ["amount"]


def test_an_amount_is_never_rounded_on_the_way_in() -> None:
    assert read(amount=Decimal("24.500001"))["amount"] == Decimal("24.500001")


def test_currencies_are_of_iso_4217_in_either_case() -> None:
    assert read(currency="usd")["currency"] == "USD"
    assert list(refusal(currency="ZZZ")) == ["currency"]


def test_booleans_are_true_or_false_only() -> None:
    assert read(is_active=False)["is_active"] is False
    assert list(refusal(is_active=1)) == ["is_active"]
    assert list(refusal(is_active="true")) == ["is_active"]


@pytest.mark.parametrize("sent", ["2026-02-30", "2026-2-3", "20260203", "٢٠٢٦-٠١-٠١", 5])
def test_dates_are_real_days(sent: Any) -> None:
    assert list(refusal(valid_from=sent)) == ["valid_from"]
    assert read(valid_from="2028-02-29")["valid_from"] == date(2028, 2, 29)


def test_times_need_an_offset_and_come_out_in_utc() -> None:
    assert read(occurred_at="2026-05-16T12:12:00+02:00")["occurred_at"] == datetime(2026, 5, 16, 10, 12, tzinfo=UTC)
    assert list(refusal(occurred_at="2026-05-16T12:12:00")) == ["occurred_at"]
    assert list(refusal(occurred_at="0001-01-01T00:00:00+14:00")) == ["occurred_at"]


def test_line_breaks_are_for_notes_only() -> None:
    assert read(notes="two\nlines")["notes"] == "two\nlines"
    assert list(refusal(name="two\nlines")) == ["name"]


@pytest.mark.parametrize("sent", ["alex", "alex@", "@example.com", "a b@example.com", "alex@example", "a@b..c"])
def test_an_address_that_cannot_be_one_is_refused(sent: str) -> None:
    assert refusal(email=sent) == {"email": ["The email field must be a valid email address."]}


def test_unknown_fields_are_left_out() -> None:
    assert "colour" not in read(colour="red")


def test_what_is_too_long_is_refused_before_it_is_trimmed() -> None:
    assert refusal(name=" " * 21) == {"name": ["The name field may not be longer than 20 characters."]}
    assert read(currency=" usd ")["currency"] == "USD"


class PurchaseChanges(fields.Changes, Purchase):
    pass


def test_a_change_names_only_what_was_sent_and_null_means_the_default() -> None:
    assert PurchaseChanges().load({"name": None, "is_active": None}) == {"name": None, "is_active": True}
    with pytest.raises(ValidationError):
        PurchaseChanges().load({"email": None})
