import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from loyalty_common.messaging.consumer import run_consumer
from loyalty_common.messaging.relay import run_relay
from loyalty_common.messaging.topology import dead_letter_queue_of, queue_of

pytestmark = pytest.mark.faults
QUEUE, DEAD_LETTERS = queue_of("webhooks"), dead_letter_queue_of("webhooks")


@pytest.fixture
def chain(service: Any, broker: Any, running: Any) -> None:
    """A relay and a consumer, from the service's outbox to its own inbox."""
    running(
        run_relay,
        engine=service.engine,
        outbox=service.outbox,
        publisher="programs",
        events_url=broker.url,
        signer=None,
    )
    running(run_consumer, url=broker.url, subscriber="webhooks", handle=service.handle)


@contextmanager
def tills_at_work(service: Any) -> Iterator[list[Any]]:
    """Commits ten events every hundredth of a second, as long as the database is there; their ids."""
    over, ids = threading.Event(), []

    def work() -> None:
        while not over.wait(0.01):
            ids.extend(service.emit("loyalty.points_earned", 10))

    till = threading.Thread(target=work)
    till.start()
    yield ids
    over.set()
    till.join()


@contextmanager
def database_away(service: Any) -> Iterator[None]:
    """Ends every connection and lets nobody in."""
    url = urlsplit(service.url)
    name = url.path.removeprefix("/")
    with psycopg.connect(url._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_connections_closed_by_the_broker_under_load_cost_nothing(
    service: Any, broker: Any, rabbitmq: Any, chain: None, eventually: Any
) -> None:
    with tills_at_work(service) as ids:
        for round_number in range(1, 4):
            eventually(lambda wanted=round_number * 200: len(service.handled) > wanted)
            rabbitmq.close_connections()
    eventually(lambda: service.handled_ids() == sorted(ids), within_s=30)
    eventually(lambda: service.waiting() == 0, within_s=30)
    assert broker.count(DEAD_LETTERS) == 0


def test_a_broker_restarted_under_load_costs_nothing(
    service: Any, broker: Any, rabbitmq: Any, chain: None, eventually: Any
) -> None:
    with tills_at_work(service) as ids:
        eventually(lambda: len(service.handled) > 200)
        rabbitmq.restart()
        before = len(service.handled)
        back_at = time.monotonic()
        eventually(lambda: len(service.handled) > before + 200, within_s=30)
        assert time.monotonic() - back_at < 10, "resumed too late"
    eventually(lambda: service.handled_ids() == sorted(ids), within_s=30)
    eventually(lambda: service.waiting() == 0, within_s=30)
    assert broker.count(DEAD_LETTERS) == 0


def test_a_broker_that_was_down_at_the_start_is_waited_for(
    service: Any, broker: Any, rabbitmq: Any, running: Any, eventually: Any
) -> None:
    ids = service.emit("loyalty.points_earned", 20)
    rabbitmq.stop()
    try:
        running(
            run_relay, engine=service.engine, outbox=service.outbox, publisher="p", events_url=broker.url, signer=None
        )
        running(run_consumer, url=broker.url, subscriber="webhooks", handle=service.handle)
    finally:
        rabbitmq.start()
    eventually(lambda: service.handled_ids() == sorted(ids), within_s=30)


def test_a_database_that_goes_away_is_waited_out_by_relay_and_consumer(
    service: Any, broker: Any, chain: None, eventually: Any
) -> None:
    ids = service.emit("loyalty.points_earned", 500)
    eventually(lambda: service.handled)
    with database_away(service):
        broker.put(QUEUE, service.message("loyalty.enrolled").to_json())
        time.sleep(1)  # How long the outage lasts: both have tried in vain by then.
    ids += service.emit("loyalty.points_earned", 500)
    eventually(lambda: service.waiting() == 0 and len(service.handled) == 1_001, within_s=30)
    assert set(ids) < set(service.handled_ids())
    assert broker.count(DEAD_LETTERS) == 0


def test_an_embedded_relay_waits_out_its_database(
    service: Any, listen: Any, identity_keys: Any, running: Any, eventually: Any
) -> None:
    webhooks = listen()
    running(
        run_relay,
        engine=service.engine,
        outbox=service.outbox,
        publisher="programs",
        events_url=f"webhooks={webhooks.address}",
        signer=identity_keys.signer("programs"),
    )
    service.emit("loyalty.points_earned", 5)
    eventually(lambda: len(webhooks.received) == 5)
    with database_away(service):
        time.sleep(1)  # How long the outage lasts.
    service.emit("loyalty.points_earned", 5)
    eventually(lambda: len(webhooks.received) == 10)
