"""The console sends nothing but what the OpenAPI knows, to nowhere but the API, with no key but a test key."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from loyalty_dashboard.portal import console
from loyalty_dashboard.portal.console import Trial

KEY = f"lpk_test_4fZ8Qm01Ab_{'x' * 49}"
CREDIT = "post_loyalty_cards_card_id_transactions"


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({"key": KEY, "path.card_id": "12"}, {}),
        ({"key": f" {KEY}\n", "path.card_id": " 12 "}, {}),
        ({"path.card_id": "12"}, {"key": console.NO_TEST_KEY}),
        ({"key": KEY.replace("test", "live"), "path.card_id": "12"}, {"key": console.LIVE_KEY}),
        ({"key": KEY[:-1], "path.card_id": "12"}, {"key": console.NO_TEST_KEY}),
        ({"key": f"{KEY}\r\nHost: evil.example", "path.card_id": "12"}, {"key": console.NO_TEST_KEY}),
        ({"key": "lps_a-session-of-somebody", "path.card_id": "12"}, {"key": console.NO_TEST_KEY}),
        ({"key": KEY}, {"path.card_id": console.MISSING}),
        ({"key": KEY, "path.card_id": ".."}, {"path.card_id": console.NOT_A_SEGMENT}),
        ({"key": KEY, "path.card_id": "12/../../../livez"}, {"path.card_id": console.NOT_A_SEGMENT}),
        ({"key": KEY, "path.card_id": "12%2F.."}, {"path.card_id": console.NOT_A_SEGMENT}),
        ({"key": KEY, "path.card_id": "@evil.example"}, {"path.card_id": console.NOT_A_SEGMENT}),
        ({"key": KEY, "path.card_id": "12", "body": "x" * 70_000}, {"body": console.TOO_LARGE}),
        ({"key": KEY, "path.card_id": "12", "idempotency_key": "a\r\nb"}, {"idempotency_key": console.NOT_A_SEGMENT}),
    ],
)
def test_what_is_not_sent(documentation, form, faults):
    assert Trial.of(documentation.operations[CREDIT], form).faults == faults


TEXTS = st.text(max_size=20) | st.sampled_from(
    ["..", "//evil.example", "%2e%2e", "\\", "?x=1", "#", "{card_id}", "a@b:1"]
)


@given(card=TEXTS, query=TEXTS, other=TEXTS)
def test_whatever_is_filled_in_the_request_goes_to_the_operation_that_was_chosen(documentation, card, query, other):
    operation = documentation.operations["get_loyalty_cards_card_id_transactions"]
    form = {
        "key": KEY,
        "path.card_id": card,
        "query.reference": query,
        "query.url": other,
        "url": other,
        "path.x": other,
    }
    trial = Trial.of(operation, form)
    if trial.faults:
        return
    url = f"http://127.0.0.1:8080/api/v1{trial.target}"
    assert urlsplit(url).netloc == parse_url(url).netloc == "127.0.0.1:8080"
    assert re.fullmatch(r"/api/v1/loyalty-cards/[0-9A-Za-z_-]+/transactions", parse_url(url).path or "")
    assert set(trial.query) <= {"reference"}


def test_what_no_key_can_call_cannot_be_tried(documentation):
    tried = {operation.name for operation in documentation.operations.values() if console.can_be_tried(operation)}
    assert {"GET /customers", "POST /customers", "DELETE /customers/{customer_id}"} <= tried
    assert not tried & {
        "POST /sessions",
        "DELETE /sessions/current",
        "POST /organizations",
        "POST /password-resets/{token}",
    }
