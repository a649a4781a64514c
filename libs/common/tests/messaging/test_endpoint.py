from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from loyalty_common.errors import Unavailable
from loyalty_common.messaging.endpoint import deliver_batch
from loyalty_common.messaging.message import Message


def documents(count: int) -> list[Any]:
    return [
        orjson.loads(
            Message(uuid4(), "customer.updated", "customers", 1, 2, datetime.now(UTC), {"number": number}).to_json()
        )
        for number in range(count)
    ]


def test_a_batch_is_handled_once_however_often_it_comes(service: Any) -> None:
    batch = documents(20)
    assert deliver_batch(service.handle, batch) == deliver_batch(service.handle, batch) == []
    assert sorted(message.data["number"] for message in service.handled) == list(range(20))


def test_one_poison_message_among_fifty_is_found_and_the_others_are_handled(service: Any) -> None:
    batch = documents(50)

    def handle(messages: list[Message]) -> None:
        with service.engine.begin() as connection:
            for message in messages:
                connection.execute(text("SELECT 1 / :number"), {"number": message.data["number"] - 31})
        service.handled += messages

    rejected = deliver_batch(handle, batch)
    assert rejected == [{"id": batch[31]["id"], "error": "DataError"}]
    assert len(service.handled) == 49


def test_what_cannot_be_read_is_rejected_and_the_rest_is_handled(service: Any) -> None:
    nameless, good = documents(2)
    del nameless["event"]
    rejected = deliver_batch(service.handle, [nameless, good, "text"])
    assert [item["id"] for item in rejected] == [nameless["id"], None]
    assert len(service.handled) == 1


@pytest.mark.parametrize(
    "error",
    [
        Unavailable(),
        requests.ConnectionError(),
        OperationalError("", None, psycopg.errors.DeadlockDetected()),
        OperationalError("", None, psycopg.OperationalError("server closed the connection unexpectedly")),
    ],
)
def test_an_outage_rejects_nothing(error: Exception) -> None:
    def handle(messages: list[Message]) -> None:
        raise error

    with pytest.raises(Unavailable):
        deliver_batch(handle, documents(3))


def test_a_table_that_is_not_there_yet_is_an_outage(service: Any) -> None:
    def handle(messages: list[Message]) -> None:
        with service.engine.begin() as connection:
            connection.execute(text("INSERT INTO not_migrated VALUES (1)"))

    with pytest.raises(Unavailable):
        deliver_batch(handle, documents(3))
