"""An organization settles its own affairs through the one door."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import text

from loyalty_common.database import create_engine


def test_a_location_made_over_the_api_can_have_a_card_at_once(merchant: Any) -> None:
    location = merchant.api.data("POST", "/partner-locations", {"name": "Harbour", "time_zone": "Asia/Tokyo"})
    card = merchant.api.data("POST", "/loyalty-cards", {"name": "Points", "partner_location_id": location["id"]})
    assert card["partner_location_id"] == location["id"]
    assert merchant.test_api.data("GET", f"/partner-locations/{location['id']}") == location


def test_the_services_hear_of_a_location_that_moved(suite: Any, merchant: Any) -> None:
    merchant.api.data("POST", "/loyalty-cards", {"name": "Points", "partner_location_id": merchant.partner_location_id})
    merchant.api.data("PATCH", f"/partner-locations/{merchant.partner_location_id}", {"time_zone": "Asia/Tokyo"})
    engine = create_engine(suite.layout.database_urls["programs"], pool_size=1, application_name="tests")
    heard = text("select time_zone from location_directory where partner_location_id = :id")
    deadline = time.monotonic() + 30
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while connection.execute(heard, {"id": merchant.partner_location_id}).scalar_one() != "Asia/Tokyo":
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        engine.dispose()


def test_an_organization_that_has_a_card_keeps_its_currency(merchant: Any) -> None:
    assert merchant.api.data("PATCH", "/organization", {"currency": "EUR"})["currency"] == "EUR"
    merchant.test_api.data(
        "POST", "/loyalty-cards", {"name": "Points", "partner_location_id": merchant.partner_location_id}
    )
    refused = merchant.api.call("PATCH", "/organization", {"currency": "USD"})
    assert (refused.status_code, list(refused.json()["error"]["details"])) == (400, ["currency"])
