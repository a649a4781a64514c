"""A service's outbox and inbox, a broker with the suite's queues, and subscribers that listen over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import orjson
import pika
import pytest
from sqlalchemy import Engine, MetaData, Table, func, select

from loyalty_common.database import create_engine
from loyalty_common.messaging.inbox import accept, inbox_table
from loyalty_common.messaging.message import Message
from loyalty_common.messaging.outbox import outbox_row, outbox_table
from loyalty_common.messaging.topology import SUBSCRIPTIONS, dead_letter_queue_of, declare, queue_of


class Service:
    """A service's database, as far as messaging goes. ``handled`` is the effect of a consumer."""

    def __init__(self, url: str) -> None:
        self.url = url
        metadata = MetaData()
        self.outbox: Table = outbox_table(metadata)
        inbox_table(metadata)
        self.engine: Engine = create_engine(url, pool_size=10, application_name="tests")
        metadata.create_all(self.engine)
        self.handled: list[Message] = []

    def row(self, event: str, number: int = 0) -> dict[str, Any]:
        return outbox_row(event=event, data={"number": number}, created_at=datetime.now(UTC)) | {"tenant_id": 7}

    def emit(self, event: str, count: int = 1, **columns: Any) -> list[UUID]:
        """Commits ``count`` events in one transaction; their ids."""
        rows = [self.row(event, number) | columns for number in range(count)]
        with self.engine.begin() as connection:
            connection.execute(self.outbox.insert(), rows)
        return [row["id"] for row in rows]

    def message(self, event: str) -> Message:
        """One that no relay sent."""
        return Message(uuid4(), event, "programs", 7, None, datetime.now(UTC), {})

    def waiting(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(self.outbox)) or 0

    def handle(self, messages: list[Message]) -> None:
        with self.engine.begin() as connection:
            new = accept(connection, messages)
        self.handled += new

    def handled_ids(self) -> list[UUID]:
        return sorted(message.id for message in self.handled)


class Broker:
    """Looks at the queues from outside, each time on a connection of its own: tests restart the broker."""

    def __init__(self, url: str) -> None:
        self.url = url

    def do(self, action: Callable[[Any], Any]) -> Any:
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            return action(connection.channel())

    def reset(self) -> None:
        def purge(channel: Any) -> None:
            declare(channel)
            for subscriber in SUBSCRIPTIONS:
                channel.queue_purge(queue_of(subscriber))
                channel.queue_purge(dead_letter_queue_of(subscriber))

        self.do(purge)

    def count(self, queue: str) -> int:
        return int(self.do(lambda channel: channel.queue_declare(queue, passive=True).method.message_count))

    def consumers(self, queue: str) -> int:
        return int(self.do(lambda channel: channel.queue_declare(queue, passive=True).method.consumer_count))

    def exists(self, queue: str) -> bool:
        try:
            self.count(queue)
        except pika.exceptions.ChannelClosedByBroker:
            return False
        return True

    def put(self, queue: str, *bodies: bytes) -> None:
        def publish(channel: Any) -> None:
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish("", queue, body)

        self.do(publish)

    def take(self, queue: str) -> list[Message]:
        """Empties the queue."""

        def get(channel: Any) -> list[Message]:
            left = channel.queue_declare(queue, passive=True).method.message_count
            arriving = channel.consume(queue, auto_ack=True)
            return [Message.from_json(next(arriving)[2]) for _ in range(left)]

        taken: list[Message] = self.do(get)
        return taken


class Listener:
    """A subscriber's ``POST /internal/events``. ``answer`` may be replaced; ``received`` is what was confirmed."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self.requests: list[list[UUID]] = []
        self.authorizations: set[str] = set()
        self.answer: Callable[[list[Message]], tuple[int, list[dict[str, str]]]] = lambda _: (200, [])
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
                listener.authorizations.add(self.headers["Authorization"])
                status, rejected = listener.receive([Message.from_document(item) for item in body["messages"]])
                answer = orjson.dumps({"data": {"rejected": rejected}})
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def receive(self, messages: list[Message]) -> tuple[int, list[dict[str, str]]]:
        self.requests.append([message.id for message in messages])
        status, rejected = self.answer(messages)
        if status == 200:
            self.received += [
                message for message in messages if str(message.id) not in {item["id"] for item in rejected}
            ]
        return status, rejected

    def received_ids(self) -> list[UUID]:
        return sorted(message.id for message in self.received)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def service(postgres: Any) -> Iterator[Service]:
    service = Service(postgres.create_database("messaging"))
    yield service
    service.engine.dispose()


@pytest.fixture
def broker(rabbitmq: Any) -> Broker:
    broker = Broker(rabbitmq.url)
    broker.reset()
    return broker


@pytest.fixture
def listen() -> Iterator[Callable[[], Listener]]:
    listeners: list[Listener] = []

    def start() -> Listener:
        listeners.append(Listener())
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """``eventually(lambda: …)``: waits for it to become true, and says so if it does not."""

    def wait(condition: Callable[[], Any], within_s: float = 20) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"not so within {within_s} s"
            time.sleep(0.01)

    return wait


@pytest.fixture
def running() -> Iterator[Callable[..., threading.Event]]:
    """``running(function, **arguments)`` runs it in a thread until the event it returns is set, or the test ends."""
    started: list[tuple[threading.Thread, threading.Event]] = []

    def run(function: Callable[..., None], **arguments: Any) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=function, kwargs={**arguments, "stop": stop})
        thread.start()
        started.append((thread, stop))
        return stop

    yield run
    for thread, stop in started:
        stop.set()
        thread.join(30)
        assert not thread.is_alive(), "did not end when it was stopped"
