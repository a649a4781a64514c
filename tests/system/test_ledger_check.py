"""``loyalty-programs check-ledger``, on whatever the tests before it have done to a suite."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from loyalty_common.database import create_engine
from loyalty_local.suite import SuiteFailed


def test_the_ledger_is_sound_and_one_point_too_many_is_found(suite: Any, merchant: Any) -> None:
    card = {"name": "Checked", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
    card_id = merchant.api.data("POST", "/loyalty-cards", card)["id"]
    customer_id = merchant.api.data("POST", "/customers", {"email": "checked@example.com"})["id"]
    merchant.api.data("POST", f"/loyalty-cards/{card_id}/transactions", {"customer_id": customer_id, "points": 5})
    found = json.loads(suite.run("programs", "check-ledger"))
    assert found["faults"] == []
    assert found["counts"]["points_transactions"] > 0
    engine = create_engine(suite.layout.database_urls["programs"], pool_size=1, application_name="tests")
    add = text("update enrollments set points_balance = points_balance + :points where loyalty_card_id = :card_id")
    try:
        with engine.begin() as connection:
            connection.execute(add, {"points": 1, "card_id": card_id})
        with pytest.raises(SuiteFailed):
            suite.run("programs", "check-ledger")
    finally:
        with engine.begin() as connection:
            connection.execute(add, {"points": -1, "card_id": card_id})
        engine.dispose()
