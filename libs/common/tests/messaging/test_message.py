import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from loyalty_common.messaging.message import MalformedMessage, Message

PURCHASE = Message(
    id=UUID("550e8400-e29b-41d4-a716-446655440000"),
    event="loyalty.points_earned",
    publisher="programs",
    tenant_id=1,
    version=None,
    created_at=datetime(2026, 5, 16, 10, 12, tzinfo=UTC),
    data={"points_delta": 2, "amount": "24.50", "customer": {"name": "Zoë"}},
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


def test_a_message_is_written_as_the_services_agreed() -> None:
    assert json.loads(PURCHASE.to_json()) == {
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "event": "loyalty.points_earned",
        "publisher": "programs",
        "tenant_id": 1,
        "version": None,
        "created_at": "2026-05-16T10:12:00+00:00",
        "data": {"points_delta": 2, "amount": "24.50", "customer": {"name": "Zoë"}},
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


def test_what_is_written_is_what_is_read() -> None:
    assert Message.from_json(PURCHASE.to_json()) == PURCHASE


def test_a_message_of_an_earlier_release_belongs_to_no_trace() -> None:
    earlier = json.loads(PURCHASE.to_json())
    del earlier["traceparent"]
    assert Message.from_json(json.dumps(earlier).encode()) == replace(PURCHASE, traceparent=None)


def test_a_message_of_a_later_release_with_one_more_key_is_read() -> None:
    later = json.loads(PURCHASE.to_json()) | {"colour": "red"}
    assert Message.from_json(json.dumps(later).encode()) == PURCHASE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        PURCHASE.to_json().replace(b"550e8400-", b""),
        PURCHASE.to_json().replace(b'"2026-', b'"never-'),
        PURCHASE.to_json().replace(b'"tenant_id":1', b'"tenant_id":"1"'),
        PURCHASE.to_json().replace(b'"version":null', b'"version":1.5'),
        PURCHASE.to_json().replace(b'"data":{', b'"datum":{'),
    ],
)
def test_what_is_no_message_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Message.from_json(body)
