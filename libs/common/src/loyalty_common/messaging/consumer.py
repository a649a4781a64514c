"""Takes a subscriber's messages from RabbitMQ in batches, and acknowledges what was committed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog
from pika import BlockingConnection
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ConsumerCancelled
from pika.spec import Basic, BasicProperties

from loyalty_common.errors import Unavailable
from loyalty_common.messaging.amqp_link import RECONNECT_S, parameters
from loyalty_common.messaging.judgement import Handle, Rejection, is_passing, judge
from loyalty_common.messaging.message import MalformedMessage, Message
from loyalty_common.messaging.pacing import Backoff
from loyalty_common.messaging.topology import declare, queue_of

BATCH = 200
_COLLECT_S = 0.020
_QUIET_S = 0.002
_HEAD_START_S = 0.005  # about what a full batch takes before PostgreSQL writes its rows
_LOOK_UP_S = 0.2  # how long ``stop`` may go unnoticed
_log = structlog.get_logger()


def run_consumer(
    *,
    url: str,
    subscriber: str,
    handle: Handle,
    stop: threading.Event,
    is_outage: Callable[[BaseException], bool] = is_passing,
) -> None:
    """Runs until ``stop``, reconnecting for ever; then finishes the batch in hand.

    ``handle`` runs in a thread of its own, so that heartbeats go on however slow it is. Errors for which
    ``is_outage`` holds are waited out with the messages in hand: giving them back would count as a failed delivery.
    """
    backoff = Backoff(first_s=RECONNECT_S)
    with ThreadPoolExecutor(1, thread_name_prefix="handle") as worker:

        def judging(messages: list[Message]) -> Future[list[Rejection]]:
            return worker.submit(judge, handle, messages, is_outage)

        while not stop.is_set():
            try:
                with BlockingConnection(parameters(url, f"{subscriber} consumer")) as connection:
                    intake = _Intake(connection, queue_of(subscriber), judging, stop)
                    backoff.reset()
                    intake.run()
            except AMQPError as error:
                wait_s = backoff.next_s()
                _log.warning("consumer_interrupted", error=repr(error), retry_in_s=round(wait_s, 3))
                stop.wait(wait_s)


class _Intake:
    """What one connection brings. Messages that are not acknowledged when it ends come again on the next."""

    def __init__(
        self,
        connection: BlockingConnection,
        queue: str,
        judging: Callable[[list[Message]], Future[list[Rejection]]],
        stop: threading.Event,
    ) -> None:
        self._connection = connection
        self._judging = judging
        self._stop = stop
        self._waiting: deque[tuple[int, Message]] = deque()
        self._channel = connection.channel()
        declare(self._channel)
        # A batch is read while the one before it is written.
        self._channel.basic_qos(prefetch_count=2 * BATCH)
        self._channel.basic_consume(queue, self._on_message)
        _log.info("consumer_connected", queue=queue)

    def run(self) -> None:
        while not self._stop.is_set():
            self._connection.process_data_events(0 if self._waiting else _LOOK_UP_S)
            if not self._channel.consumer_tags:
                # The queue was deleted or the channel closed: pika says nothing, there would just be no more messages.
                raise ConsumerCancelled
            if self._waiting:
                self._collect()
                self._work_off([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])

    def _on_message(self, _: BlockingChannel, delivery: Basic.Deliver, __: BasicProperties, body: bytes) -> None:
        # Read here: mostly while the batch before it is written.
        assert delivery.delivery_tag is not None
        try:
            self._waiting.append((delivery.delivery_tag, Message.from_json(body)))
        except MalformedMessage as error:
            _log.error("message_unreadable", error=str(error), size=len(body))
            self._channel.basic_reject(delivery.delivery_tag, requeue=False)

    def _collect(self) -> None:
        """Waits for a full batch, but not once nothing more comes: a single event must not be held up."""
        deadline = time.monotonic() + _COLLECT_S
        collected = 0
        while collected < len(self._waiting) < BATCH and time.monotonic() < deadline:
            collected = len(self._waiting)
            self._connection.process_data_events(_QUIET_S)

    def _work_off(self, batch: list[tuple[int, Message]]) -> None:
        rejections = self._judge([message for _, message in batch])
        if rejections is None:
            return
        rejected = {rejection.message_id for rejection in rejections}
        for tag, message in batch:
            if message.id in rejected:
                self._channel.basic_reject(tag, requeue=False)
        good = [tag for tag, message in batch if message.id not in rejected]
        if good:
            self._channel.basic_ack(good[-1], multiple=True)

    def _judge(self, messages: list[Message]) -> list[Rejection] | None:
        """``None`` if the process was stopped while something was down."""
        backoff = Backoff(limit_s=1.0)
        while True:
            judging = self._judging(messages)
            # Until its first large statement: reading the next batch meanwhile would take the interpreter from it,
            # and leave nothing to do while PostgreSQL writes.
            wait([judging], timeout=_HEAD_START_S)
            judging.add_done_callback(self._wake)
            while not judging.done():
                self._connection.process_data_events(_LOOK_UP_S)
            try:
                return judging.result()
            except Unavailable as outage:
                if self._stop.is_set():
                    return None
                wait_s = backoff.next_s()
                _log.warning("consumer_waits", error=repr(outage.__cause__), retry_in_s=round(wait_s, 3))
                self._connection.sleep(wait_s)

    def _wake(self, _: object) -> None:
        with contextlib.suppress(AMQPError):  # The connection may have been lost meanwhile.
            self._connection.add_callback_threadsafe(lambda: None)
