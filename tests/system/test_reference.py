"""Every example of the reference, request and response, held against the running suite key by key, type by type."""

from __future__ import annotations

import json
import re
from typing import Any

from loyalty_testing.reference import EXAMPLES, REFERENCE, Journey


def test_the_reference_is_read_whole() -> None:
    endpoints = re.findall(r"^(GET|POST) (/\S+)$", REFERENCE.read_text(), re.MULTILINE)
    assert [f"{method} {path}" for method, path in endpoints] == list(EXAMPLES)
    assert len(EXAMPLES) == 14


def test_every_example_is_answered_as_the_reference_says(merchant: Any) -> None:
    journey = Journey(merchant.api, partner_location_id=merchant.partner_location_id)
    for chapter in (journey.meet, journey.earn, journey.collect, journey.redeem):
        chapter()


def test_an_error_looks_as_the_reference_shows(merchant: Any) -> None:
    [shown] = re.findall(r"\{\n  \"error\".*?\n\}", REFERENCE.read_text(), re.DOTALL)
    answer = merchant.api.call("POST", "/customers", {"name": "Nobody"})
    assert answer.status_code == 400
    expected = json.loads(shown)["error"]
    assert answer.json()["error"] | expected == answer.json()["error"]


def test_a_delivery_looks_as_the_reference_shows(merchant: Any, receiver: Any) -> None:
    secret = merchant.api.data("POST", "/webhook-endpoints", {"url": receiver.url})["signing_secret"]
    merchant.api.data("POST", "/customers", {"email": "alex@example.com"})
    [delivery] = receiver.events("customer.created")
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["x-loyalty-event"] == delivery.envelope["event"] == "customer.created"
    assert abs(int(delivery.headers["x-loyalty-timestamp"]) - delivery.at) < 60
    assert re.fullmatch(r"[0-9a-f]{64}", delivery.headers["x-loyalty-signature"])
    assert delivery.is_signed_with(secret)
    assert {"id", "event", "created_at", "data"} <= set(delivery.envelope)
