"""A consumer that takes a batch and never ends it, to be killed: ``stuck_consumer.py EVENTS_URL SUBSCRIBER``.

Prints a line as soon as it has messages in hand.
"""

import sys
import threading

from loyalty_common.messaging.consumer import run_consumer
from loyalty_common.messaging.message import Message


def handle(messages: list[Message]) -> None:
    print(len(messages), flush=True)  # noqa: T201
    threading.Event().wait()


run_consumer(url=sys.argv[1], subscriber=sys.argv[2], handle=handle, stop=threading.Event())
