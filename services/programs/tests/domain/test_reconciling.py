"""What a receipt is beside the ledger."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain.reconciling import STATUSES, RecordedEntry, SentEntry, compare, counts

SENT = SentEntry("POS-88421", Decimal("24.50"), "USD")
RECORDED = RecordedEntry(502, 1042, Decimal("24.5"), "USD", None)


@pytest.mark.parametrize(
    ("recorded", "status"),
    [
        (None, "missing"),
        (RECORDED, "matched"),
        (replace(RECORDED, amount=Decimal("24.51")), "amount_differs"),
        (replace(RECORDED, currency="EUR"), "amount_differs"),
        (replace(RECORDED, amount=None, currency=None), "amount_differs"),
        (replace(RECORDED, reversed_amount=Decimal("24.50")), "reversed"),
        (replace(RECORDED, reversed_amount=Decimal("5.00")), "matched"),
        (replace(RECORDED, amount=Decimal("30"), reversed_amount=Decimal("30")), "reversed"),
        (replace(RECORDED, amount=None, currency=None, reversed_amount=Decimal("9999999999.99")), "reversed"),
    ],
)
def test_a_receipt_is_beside_the_ledger(recorded: RecordedEntry | None, status: str) -> None:
    assert compare(SENT, recorded) == status


@given(st.lists(st.sampled_from(STATUSES)))
def test_every_entry_is_counted_once(statuses: list[str]) -> None:
    counted = counts(statuses)
    assert list(counted) == list(STATUSES)
    assert sum(counted.values()) == len(statuses)
