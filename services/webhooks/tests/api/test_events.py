"""The log itself: whoever reads on from his last number misses nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine

from loyalty_common.database import Transaction
from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain import event_log
from loyalty_webhooks.jobs import partitions

Call = Callable[..., Any]
Publish = Callable[..., list[Any]]


def test_an_empty_log_says_where_it_will_begin(call: Call) -> None:
    log = call("GET", "/events").json
    assert log["data"] == []
    assert (log["meta"]["last_sequence"], log["meta"]["oldest_sequence"]) == (0, 1)
    assert log["links"] == {"next": None}


def test_events_are_shown_as_they_are_delivered(call: Call, publish: Publish, rows: Callable[..., list[Any]]) -> None:
    (message,) = publish()
    answer = call("GET", "/events?after_sequence=0")
    (shown,) = answer.json["data"]
    assert list(shown) == ["id", "event", "created_at", "sequence", "data"]
    assert (shown["id"], shown["sequence"]) == (str(message.id), 1)
    (stored,) = rows("select payload from webhook_events where tenant_id = :tenant_id")
    assert stored.payload in answer.text  # to the byte


def test_the_log_is_read_to_its_end_by_following_next(call: Call, publish: Publish) -> None:
    publish(3)
    publish(2, event="voucher.redeemed")
    publish(2)
    seen, path = [], "/events?event=&limit=3&after_sequence=0"
    while path:
        page = call("GET", path).json
        seen.append([each["sequence"] for each in page["data"]])
        assert (page["meta"]["last_sequence"], page["meta"]["oldest_sequence"]) == (7, 1)
        following = page["links"]["next"]
        path = following and f"/events?{urlsplit(following).query}"
    assert seen == [[1, 2, 3], [4, 5, 6], [7]]
    first = call("GET", "/events?after_sequence=0&event=&limit=3").json["links"]["next"]
    assert first == "https://loyalty.test/api/v1/events?limit=3&after_sequence=3"


def test_one_event_is_picked_out(call: Call, publish: Publish) -> None:
    publish(2)
    publish(3, event="voucher.redeemed")
    publish()
    page = call("GET", "/events?event=voucher.redeemed&limit=2").json
    assert [each["sequence"] for each in page["data"]] == [3, 4]
    assert page["links"]["next"].endswith("/events?event=voucher.redeemed&limit=2&after_sequence=4")
    rest = call("GET", "/events?event=voucher.redeemed&after_sequence=4").json
    assert ([each["sequence"] for each in rest["data"]], rest["links"]["next"]) == ([5], None)
    assert rest["meta"]["last_sequence"] == 6


@pytest.mark.parametrize("query", ["after_sequence=-1", "after_sequence=x", "event=voucher.exploded", "limit=501"])
def test_a_question_that_cannot_be_is_named(call: Call, query: str) -> None:
    answer = call("GET", f"/events?{query}")
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [query.partition("=")[0]]


def test_what_is_not_kept_any_more_is_refused_with_the_oldest_number(
    call: Call, publish: Publish, engine: Engine
) -> None:
    old = datetime.now(UTC) - timedelta(days=partitions.RETENTION_DAYS + 2)
    publish(2)
    publish(2, created_at=old)  # late, and between others
    publish(2)
    assert [each["sequence"] for each in call("GET", "/events").json["data"]] == [1, 2, 3, 4, 5, 6]
    partitions.drop_old(engine, today=datetime.now(UTC).date())
    for after in (0, 3):
        refused = call("GET", f"/events?after_sequence={after}")
        assert refused.status_code == 400
        assert refused.json["error"]["details"] == {"after_sequence": [refused.json["error"]["message"]]}
        assert "oldest_sequence that is left is 5" in refused.json["error"]["message"]
    # Without a gap from the oldest on: 1 and 2 are still there, but 3 and 4 are not.
    for query in ("", "?after_sequence=4", "?event=loyalty.points_earned"):
        page = call("GET", f"/events{query}").json
        assert [each["sequence"] for each in page["data"]] == [5, 6]
        assert (page["meta"]["last_sequence"], page["meta"]["oldest_sequence"]) == (6, 5)


def test_a_log_that_is_all_forgotten_goes_on_where_it_ended(call: Call, publish: Publish, engine: Engine) -> None:
    publish(3, created_at=datetime.now(UTC) - timedelta(days=partitions.RETENTION_DAYS + 2))
    partitions.drop_old(engine, today=datetime.now(UTC).date())
    assert call("GET", "/events").json["meta"]["oldest_sequence"] == 4
    assert call("GET", "/events?after_sequence=3").json["data"] == []
    assert call("GET", "/events?after_sequence=2").status_code == 400
    publish()
    assert [each["sequence"] for each in call("GET", "/events?after_sequence=3").json["data"]] == [4]


def test_a_reader_beside_many_writers_sees_no_gap(
    engine: Engine, purchase: Callable[..., Message], tenant_id: int
) -> None:
    writers = [
        threading.Thread(target=lambda: [handler(engine)([purchase() for _ in range(3)]) for _ in range(25)])
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    while len(seen) < 300:
        done = not any(writer.is_alive() for writer in writers)
        with engine.begin() as connection:
            page = event_log.read(Transaction(connection, tenant_id), after_sequence=len(seen), event=None, limit=7)
        seen += [json.loads(payload)["sequence"] for payload in page.payloads]
        assert seen == list(range(1, len(seen) + 1))
        assert page.last_sequence >= len(seen)
        assert page.payloads or not done
    for writer in writers:
        writer.join()


def test_the_log_of_another_organization_is_not_read(call: Call, publish: Publish) -> None:
    publish(2)
    theirs = call("GET", "/events", tenant=10_000_001).json
    assert (theirs["data"], theirs["meta"]["last_sequence"], theirs["meta"]["oldest_sequence"]) == ([], 0, 1)
