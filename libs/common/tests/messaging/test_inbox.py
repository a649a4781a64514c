import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from loyalty_common.messaging.inbox import accept
from loyalty_common.messaging.message import Message


def message(message_id: UUID) -> Message:
    return Message(message_id, "customer.created", "customers", 1, 1, datetime(2026, 5, 16, tzinfo=UTC), {})


def test_a_message_is_new_once(service: Any) -> None:
    first, second, third = sorted(uuid4() for _ in range(3))
    with service.engine.begin() as connection:
        assert accept(connection, [message(third), message(first), message(third)]) == [
            message(first),
            message(third),
        ]
    with service.engine.begin() as connection:
        assert accept(connection, [message(third), message(second)]) == [message(second)]
        assert accept(connection, []) == []


def test_a_message_whose_effect_was_rolled_back_is_new_again(service: Any) -> None:
    purchase = message(uuid4())
    with service.engine.connect() as connection:
        assert accept(connection, [purchase]) == [purchase]
        connection.rollback()
        assert accept(connection, [purchase]) == [purchase]


def test_consumers_with_the_same_messages_in_another_order_wait_and_do_not_deadlock(service: Any) -> None:
    # Long enough statements to overlap; each thread's order is the other's reversed.
    messages = [message(uuid4()) for _ in range(3_000)]
    together = threading.Barrier(2)

    def consume(mine: list[Message]) -> int:
        together.wait()
        with service.engine.begin() as connection:
            return len(accept(connection, mine))

    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            assert sum(threads.map(consume, (messages, messages[::-1]))) == len(messages)
            messages = [message(uuid4()) for _ in messages]
