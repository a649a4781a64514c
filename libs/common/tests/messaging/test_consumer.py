import threading
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from loyalty_common.errors import Unavailable
from loyalty_common.messaging.consumer import run_consumer
from loyalty_common.messaging.message import Message
from loyalty_common.messaging.topology import dead_letter_queue_of, queue_of

QUEUE, DEAD_LETTERS = queue_of("webhooks"), dead_letter_queue_of("webhooks")


@pytest.fixture
def put(broker: Any) -> Any:
    """Puts numbered messages into the queue and returns them."""

    def put(count: int) -> list[Message]:
        at = datetime(2026, 5, 16, tzinfo=UTC)
        messages = [Message(uuid4(), "loyalty.enrolled", "programs", 1, None, at, {"number": n}) for n in range(count)]
        broker.put(QUEUE, *(message.to_json() for message in messages))
        return messages

    return put


@pytest.fixture
def consume(broker: Any, running: Any) -> Any:
    def consume(handle: Any, url: str = broker.url) -> threading.Event:
        stop: threading.Event = running(run_consumer, url=url, subscriber="webhooks", handle=handle)
        return stop

    return consume


@pytest.fixture
def left(broker: Any, eventually: Any) -> Any:
    """Ends the consumer; how many messages are then in the queue, those it did not acknowledge among them."""

    def left(stop: threading.Event) -> int:
        stop.set()
        eventually(lambda: broker.consumers(QUEUE) == 0)
        return int(broker.count(QUEUE))

    return left


def test_messages_are_handled_in_batches_and_acknowledged(
    service: Any, put: Any, consume: Any, left: Any, eventually: Any
) -> None:
    batches: list[int] = []

    def handle(messages: list[Message]) -> None:
        service.handle(messages)
        batches.append(len(messages))

    messages = put(600)
    stop = consume(handle)
    eventually(lambda: len(service.handled) == 600)
    assert left(stop) == 0
    assert service.handled_ids() == sorted(message.id for message in messages)
    assert max(batches) <= 200
    assert len(batches) < 100


def test_a_batch_is_read_while_the_one_before_it_is_written(
    service: Any, broker: Any, put: Any, consume: Any, left: Any, eventually: Any
) -> None:
    may_write = threading.Event()

    def handle(messages: list[Message]) -> None:
        may_write.wait(60)
        service.handle(messages)

    put(600)
    stop = consume(handle)
    eventually(lambda: broker.count(QUEUE) == 200)
    may_write.set()
    eventually(lambda: len(service.handled) == 600)
    assert left(stop) == 0


def test_a_single_event_is_not_held_up_until_more_come(service: Any, put: Any, consume: Any, eventually: Any) -> None:
    consume(service.handle)
    put(1)
    eventually(lambda: service.handled)
    assert len(service.handled) == 1


def test_one_poison_message_among_fifty_goes_to_the_dead_letters_alone(
    service: Any, broker: Any, put: Any, consume: Any, left: Any, eventually: Any
) -> None:
    def handle(messages: list[Message]) -> None:
        with service.engine.begin() as connection:
            for message in messages:
                connection.execute(text("SELECT 1 / :number"), {"number": message.data["number"] - 31})
        service.handled += messages

    messages = put(51)
    stop = consume(handle)
    eventually(lambda: broker.count(DEAD_LETTERS) == 1)
    assert left(stop) == 0
    assert broker.take(DEAD_LETTERS) == [messages[31]]
    assert {message.id for message in service.handled} == {message.id for message in messages} - {messages[31].id}


def test_a_body_that_cannot_be_read_goes_to_the_dead_letters(
    service: Any, broker: Any, put: Any, consume: Any, left: Any, eventually: Any
) -> None:
    put(1)
    broker.put(QUEUE, b"\xff not json")
    put(1)
    stop = consume(service.handle)
    eventually(lambda: len(service.handled) == 2 and broker.count(DEAD_LETTERS) == 1)
    assert left(stop) == 0


def test_an_outage_is_waited_out_with_the_messages_in_hand(
    service: Any, broker: Any, put: Any, consume: Any, left: Any, eventually: Any
) -> None:
    attempts: list[int] = []

    def handle(messages: list[Message]) -> None:
        attempts.append(len(messages))
        if len(attempts) <= 5:
            raise Unavailable
        service.handle(messages)

    put(30)
    stop = consume(handle)
    eventually(lambda: len(service.handled) == 30)
    assert left(stop) == 0
    assert broker.count(DEAD_LETTERS) == 0


def test_a_consumer_stopped_in_an_outage_gives_its_messages_back(put: Any, consume: Any, left: Any) -> None:
    tried = threading.Event()

    def handle(messages: list[Message]) -> None:
        tried.set()
        raise Unavailable

    put(30)
    stop = consume(handle)
    assert tried.wait(10)
    assert left(stop) == 30


def test_a_consumer_that_is_stopped_finishes_the_batch_in_hand(service: Any, put: Any, consume: Any, left: Any) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handle(messages: list[Message]) -> None:
        begun.set()
        assert go_on.wait(10)
        service.handle(messages)

    messages = put(300)
    stop = consume(handle)
    assert begun.wait(10)
    stop.set()
    go_on.set()
    assert left(stop) == len(messages) - len(service.handled) < len(messages)


def test_heartbeats_go_on_while_a_batch_takes_long(
    service: Any, broker: Any, put: Any, consume: Any, left: Any, eventually: Any
) -> None:
    begun: list[int] = []

    def handle(messages: list[Message]) -> None:
        begun.append(len(messages))
        time.sleep(5)  # Five heartbeats: without an answer the broker closes the connection and delivers again.
        service.handle(messages)

    put(1)
    stop = consume(handle, url=f"{broker.url}?heartbeat=1")
    eventually(lambda: service.handled)
    assert left(stop) == 0
    assert begun == [1]


def test_a_queue_that_is_deleted_is_made_anew_and_consumed(
    service: Any, broker: Any, put: Any, consume: Any, eventually: Any
) -> None:
    put(1)
    consume(service.handle)
    eventually(lambda: len(service.handled) == 1)
    broker.do(lambda channel: channel.queue_delete(QUEUE))
    eventually(lambda: broker.exists(QUEUE))
    put(1)
    eventually(lambda: len(service.handled) == 2)
