"""What of a document is a person's."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from loyalty_common import personal

PERSON = {"id": 1042, "name": "Alex Rivera", "email": "alex@example.com", "phone": None}
NOBODY = {"id": 1042, "name": None, "email": None, "phone": None}
PROFILE = {**PERSON, "external_id": "crm-1", "metadata": {"tier": "gold"}}
SALE = {"id": 502, "customer_id": 1042, "points_delta": 2, "purchase_reference": "POS-1", "notes": "Counter sale"}
CARD = {"id": 12, "name": "Insider Points", "card_identifier": "RIVERSIDE"}
USER = {"id": 1042, "name": "Robin Owner", "email": "robin@example.com", "role": "owner"}


@pytest.mark.parametrize(
    ("document", "left"),
    [
        (PROFILE, {**NOBODY, "external_id": None, "metadata": {}}),
        (SALE, {**SALE, "notes": None}),
        ([SALE, {**SALE, "customer_id": 7}], [{**SALE, "notes": None}, {**SALE, "customer_id": 7}]),
        ({**SALE, "customer": PERSON}, {**SALE, "notes": None, "customer": NOBODY}),
        ({"claim": SALE, "loyalty_card": CARD}, {"claim": {**SALE, "notes": None}, "loyalty_card": CARD}),
        (
            {"id": 17, "customer_id": 1042, "referral_code": "ALEX-7KQ2"},
            {"id": 17, "customer_id": 1042, "referral_code": None},
        ),
        (
            {"id": 23, "referrer_customer_id": 1042, "referred_customer_id": 7, "referral_code": "ALEX-7KQ2"},
            {"id": 23, "referrer_customer_id": 1042, "referred_customer_id": 7, "referral_code": None},
        ),
        (
            {"referrer": {**PERSON, "id": 7}, "referred": PERSON, "reward_transactions": [SALE]},
            {"referrer": {**PERSON, "id": 7}, "referred": NOBODY, "reward_transactions": [{**SALE, "notes": None}]},
        ),
    ],
)
def test_what_is_his_goes_and_all_else_stays(document: Any, left: Any) -> None:
    document = deepcopy(document)
    assert personal.take_out(document, 1042)
    assert document == left
    assert not personal.take_out(document, 1042)


@pytest.mark.parametrize("document", [CARD, NOBODY, {**SALE, "notes": None}, {}, [], {**PERSON, "id": None}, USER])
def test_ids_amounts_and_references_are_nobodys(document: Any) -> None:
    assert personal.customer_of(document) is None
    assert not personal.take_out(deepcopy(document), 1042)


def test_a_document_is_about_whom_it_says_more_than_the_id() -> None:
    assert personal.customer_of(PROFILE) == 1042
    assert personal.customer_of({"transaction": SALE, "customer_id": 7}) == 1042


def test_an_event_says_that_something_was_taken_out_and_only_then() -> None:
    event = {**SALE, "customer": PERSON}
    assert personal.take_out_of_event(event, 1042)
    assert event["redacted"] is True
    untouched = {**SALE, "customer": PERSON}
    assert not personal.take_out_of_event(untouched, 7)
    assert "redacted" not in untouched
