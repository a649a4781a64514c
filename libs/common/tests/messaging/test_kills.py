import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from loyalty_common.messaging.consumer import run_consumer
from loyalty_common.messaging.relay import run_relay
from loyalty_common.messaging.topology import dead_letter_queue_of, queue_of

pytestmark = pytest.mark.faults
PROCESSES = Path(__file__).parent / "processes"
QUEUE, DEAD_LETTERS = queue_of("webhooks"), dead_letter_queue_of("webhooks")
# A delivery that was recorded as sent only after the process died is what is tested: DELETE waits for the test.
HOLD_DELETES = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(60); RETURN OLD; END $$;
CREATE TRIGGER hold BEFORE DELETE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION hold();
"""
RELEASE_DELETES = "DROP TRIGGER hold ON outbox"
END_HELD = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'
"""


@pytest.fixture
def start() -> Iterator[Any]:
    """Starts one of the processes; whatever a test did not kill is killed after it."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROCESSES / script), *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def die_between_publishing_and_removing(service: Any, process: subprocess.Popen[str], published: Any) -> None:
    published()
    kill(process)
    with service.engine.begin() as connection:
        # Whatever the database still did for it is undone: the statement had not ended when the process died.
        connection.execute(text(END_HELD))
        connection.execute(text(RELEASE_DELETES))
    assert service.waiting() > 0


@pytest.fixture
def holding_deletes(service: Any) -> None:
    with service.engine.begin() as connection:
        connection.execute(text(HOLD_DELETES))


def test_events_of_a_relay_killed_before_it_removed_them_count_once(
    service: Any, broker: Any, start: Any, running: Any, eventually: Any, holding_deletes: None
) -> None:
    ids = service.emit("loyalty.points_earned", 50)
    process = start("relay.py", service.url, broker.url)
    die_between_publishing_and_removing(service, process, lambda: eventually(lambda: broker.count(QUEUE) == 50))

    running(run_relay, engine=service.engine, outbox=service.outbox, publisher="p", events_url=broker.url, signer=None)
    eventually(lambda: service.waiting() == 0, within_s=30)
    assert broker.count(QUEUE) == 100
    running(run_consumer, url=broker.url, subscriber="webhooks", handle=service.handle)
    eventually(lambda: broker.count(QUEUE) == 0)
    eventually(lambda: service.handled_ids() == sorted(ids))


def test_events_of_an_embedded_relay_killed_before_it_removed_them_are_sent_again_at_once(
    service: Any, listen: Any, identity_keys: Any, start: Any, running: Any, eventually: Any, holding_deletes: None
) -> None:
    webhooks = listen()
    events_url = f"webhooks={webhooks.address}"
    ids = service.emit("loyalty.points_earned", 50)
    process = start("relay.py", service.url, events_url)
    die_between_publishing_and_removing(service, process, lambda: eventually(lambda: len(webhooks.received) == 50))

    signer = identity_keys.signer("programs")
    running(
        run_relay, engine=service.engine, outbox=service.outbox, publisher="p", events_url=events_url, signer=signer
    )
    eventually(lambda: service.waiting() == 0)
    service.handle(webhooks.received)
    assert len(webhooks.received) == 100
    assert service.handled_ids() == sorted(ids)


def test_six_kills_of_a_consumer_with_200_messages_in_hand_lose_none_and_bury_none(
    service: Any, broker: Any, start: Any, running: Any, eventually: Any
) -> None:
    ids = service.emit("loyalty.points_earned", 200)
    stop = running(
        run_relay, engine=service.engine, outbox=service.outbox, publisher="p", events_url=broker.url, signer=None
    )
    eventually(lambda: service.waiting() == 0)
    stop.set()
    for _ in range(6):
        process = start("stuck_consumer.py", broker.url, "webhooks")
        process.stdout.readline()
        eventually(lambda: broker.count(QUEUE) == 0)
        kill(process)
        eventually(lambda: broker.count(QUEUE) == 200)

    running(run_consumer, url=broker.url, subscriber="webhooks", handle=service.handle)
    eventually(lambda: service.handled_ids() == sorted(ids))
    assert broker.count(DEAD_LETTERS) == 0
