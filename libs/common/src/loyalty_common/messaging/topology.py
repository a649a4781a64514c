"""Who receives which events, and the exchanges and queues that this takes on RabbitMQ."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

# Topic patterns: * is one word, # is any number of words.
SUBSCRIPTIONS: Mapping[str, tuple[str, ...]] = {
    "webhooks": ("customer.*", "loyalty.*", "stamp.*", "voucher.*", "referral.*"),
    "programs": ("customer.*", "internal.#"),
    "vouchers": ("customer.*", "internal.#"),
    "gateway": ("internal.endpoint_disabled",),
}
EXCHANGE = "loyalty.events"
DEAD_LETTER_EXCHANGE = "loyalty.events.dead"
# The broker counts a kill of the consumer against all it had prefetched: at 5, six kills sent 200 good messages to
# the dead letters. Poison is the consumer's to judge; this only ends a message that kills whoever touches it.
DELIVERY_LIMIT = 1_000
DEAD_LETTER_DAYS = 30
NOT_FOUND = 404


def queue_of(subscriber: str) -> str:
    return f"{subscriber}.events"


def dead_letter_queue_of(subscriber: str) -> str:
    return f"{subscriber}.events.dead"


def declare(channel: BlockingChannel) -> None:
    """Make everything that is missing; what exists stays as it is. Raises pika's errors."""
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.exchange_declare(DEAD_LETTER_EXCHANGE, "direct", durable=True)
    for subscriber, patterns in SUBSCRIPTIONS.items():
        queue, dead_letters = queue_of(subscriber), dead_letter_queue_of(subscriber)
        _declare_queue(
            channel,
            dead_letters,
            {"x-queue-type": "quorum", "x-message-ttl": DEAD_LETTER_DAYS * 24 * 60 * 60 * 1000},
        )
        channel.queue_bind(dead_letters, DEAD_LETTER_EXCHANGE, routing_key=dead_letters)
        _declare_queue(
            channel,
            queue,
            {
                "x-queue-type": "quorum",
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": DEAD_LETTER_EXCHANGE,
                "x-dead-letter-routing-key": dead_letters,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",  # at-least-once dead letters ask for it
            },
        )
        for pattern in patterns:
            channel.queue_bind(queue, EXCHANGE, routing_key=pattern)


def _declare_queue(channel: BlockingChannel, queue: str, arguments: dict[str, object]) -> None:
    # A queue that was made with other arguments, by the release before or after this one, is as good: declaring it
    # anew would be refused, and neither relay nor consumer would ever start.
    try:
        with channel.connection.channel() as probe:
            probe.queue_declare(queue, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != NOT_FOUND:
            raise
        channel.queue_declare(queue, durable=True, arguments=arguments)


def event_regex(subscriber: str) -> str:
    """Matches, in PostgreSQL as in Python, the event names that ``subscriber`` is sent."""
    return f"^({'|'.join(_pattern_regex(pattern) for pattern in SUBSCRIPTIONS[subscriber])})$"


def _pattern_regex(pattern: str) -> str:
    words = {"*": r"\.[^.]+", "#": r"(\.[^.]+)*"}
    return "".join(words.get(word, rf"\.{re.escape(word)}") for word in pattern.split(".")).removeprefix(r"\.")
