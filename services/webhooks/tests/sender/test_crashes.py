"""What a sender's death, sleep or neighbours cost."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from loyalty_testing.soak import SOAKING

Endpoint = Callable[..., dict[str, Any]]


def test_a_sender_killed_between_answer_and_commit_is_taken_over_from(
    receiver: Any, deliver: Callable[..., Any], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    endpoint(receiver.url)
    publish()
    with db.engine.connect() as blocking:
        blocking.execute(text("lock table webhook_attempts in share mode"))
        sender = deliver()
        receiver.wait_for(1)
        waiting = "select 1 from pg_stat_activity where wait_event = 'relation' and application_name like '%deliver'"
        db.wait(lambda: db.rows(waiting))
        os.kill(sender.process.pid, signal.SIGKILL)
        sender.process.wait()
    assert db.attempts() == []
    db.end_leases()
    deliver()
    first, second = receiver.wait_for(2)
    assert first.body == second.body
    db.wait_for_statuses("succeeded")
    assert [attempt.number for attempt in db.attempts()] == [1]


@pytest.mark.soak
@pytest.mark.parametrize("late_status", [200, 500])
def test_a_sender_that_slept_past_its_lease_cannot_complete_any_more(
    receiver: Any,
    deliver: Callable[..., Any],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    db: Any,
    late_status: int,
) -> None:
    """Hard test 5 of the webhooks' design. At full size the lease ends by itself, as late as it does."""
    awake, taken_over = threading.Event(), threading.Event()

    def answer(_: Any) -> tuple[int, dict[str, str], bytes]:
        if receiver.arrived == 1:
            awake.wait(20)
            return late_status, {}, b"too late"
        taken_over.wait(20)
        return 200, {}, b"ok"

    receiver.answer = answer
    endpoint(receiver.url)
    publish()
    sleeper = deliver()
    db.wait(lambda: receiver.arrived == 1)
    os.kill(sleeper.process.pid, signal.SIGSTOP)
    try:
        if not SOAKING:
            db.end_leases()
        deliver()
        db.wait(lambda: receiver.arrived == 2, within_s=90)
        awake.set()
    finally:
        os.kill(sleeper.process.pid, signal.SIGCONT)
    (late,) = db.wait(lambda: sleeper.logged("attempt_after_lease"))
    # By then its own deadline may be over, too.
    assert late["status_code"] in ((late_status, None) if SOAKING else (late_status,))
    assert db.attempts() == []
    assert db.queue()[0].claim_id is not None
    taken_over.set()
    db.wait_for_statuses("succeeded")
    assert [(attempt.number, attempt.response_body) for attempt in db.attempts()] == [(1, "ok")]


def test_a_sender_told_to_stop_finishes_what_it_began(
    receiver: Any, deliver: Callable[..., Any], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    stopped = threading.Event()

    def answer(_: Any) -> tuple[int, dict[str, str], bytes]:
        stopped.wait(20)
        return 200, {}, b"ok"

    receiver.answer = answer
    endpoint(receiver.url)
    publish()
    sender = deliver()
    db.wait(lambda: receiver.arrived == 1)
    sender.process.terminate()
    publish()
    stopped.set()
    assert sender.process.wait(20) == 0
    db.wait_for_statuses("succeeded", "pending")


def test_a_sender_told_to_stop_hands_back_what_waits_for_a_thread(
    receiver: Any, deliver: Callable[..., Any], endpoint: Endpoint, publish: Callable[..., Any], db: Any, tenant_id: int
) -> None:
    handed_back = threading.Event()

    def answer(_: Any) -> tuple[int, dict[str, str], bytes]:
        if receiver.arrived > 2:
            handed_back.wait(20)
        return 200, {}, b"ok"

    receiver.answer = answer
    both = (tenant_id, tenant_id + 500_000)
    for tenant in both:
        endpoint(receiver.url, tenant=tenant)
        publish(tenant_id=tenant)
    sender = deliver(DELIVER_THREADS="1")
    db.wait(lambda: len(sender.logged("attempt")) == 2)  # from now on both are known to answer
    for tenant in both:
        publish(tenant_id=tenant)
    db.wait(lambda: len(leased(db)) == 2)
    sender.process.terminate()
    db.wait(lambda: len(leased(db)) == 1, within_s=10)  # by itself a lease ends after 30 s
    handed_back.set()
    assert sender.process.wait(20) == 0
    assert receiver.arrived == 3


def leased(db: Any) -> list[Any]:
    rows: list[Any] = db.rows("select 1 from delivery_queue where claim_id is not null")
    return rows


def test_an_attempt_under_way_when_its_endpoint_is_deleted_is_not_recorded(
    receiver: Any, deliver: Callable[..., Any], endpoint: Endpoint, publish: Callable[..., Any], db: Any, call: Any
) -> None:
    deleted = threading.Event()

    def answer(_: Any) -> tuple[int, dict[str, str], bytes]:
        deleted.wait(20)
        return 200, {}, b"ok"

    receiver.answer = answer
    made = endpoint(receiver.url)
    publish()
    sender = deliver()
    db.wait(lambda: receiver.arrived == 1)
    assert call("DELETE", f"/webhook-endpoints/{made['id']}").status_code == 200
    deleted.set()
    db.wait(lambda: sender.logged("attempt_after_lease"))
    assert [delivery.status for delivery in db.deliveries()] == ["cancelled"]
    assert db.attempts() == []


def test_a_sender_whose_connections_were_cut_goes_on(
    receiver: Any, deliver: Callable[..., Any], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    endpoint(receiver.url)
    publish()
    sender = deliver()
    db.wait_for_statuses("succeeded")
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'webhooks deliver'"
    assert db.rows(cut)
    publish()
    db.wait_for_statuses("succeeded", "succeeded")
    assert sender.process.poll() is None


@pytest.fixture
def tarpit() -> Iterator[str]:
    """Accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_tarpit_with_a_backlog_does_not_hold_up_its_neighbours(
    receiver: Any, tarpit: str, deliver: Callable[..., Any], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    for _ in range(3):
        endpoint(tarpit)
    publish(100)
    neighbour = endpoint(receiver.url)
    sender = deliver()
    db.wait(lambda: db.rows("select 1 from delivery_queue where tenant_id = :tenant_id and claim_id is not null"))
    publish(100)
    receiver.wait_for(100, within_s=10)
    leased = db.rows(
        """
        select endpoint_id, count(*) as leases from delivery_queue
         where tenant_id = :tenant_id and claim_id is not null and endpoint_id <> :neighbour group by endpoint_id
        """,
        neighbour=neighbour["id"],
    )
    assert leased
    assert all(tarpit.leases <= 4 for tarpit in leased)
    sender.process.kill()
    sender.process.wait()


def test_several_senders_share_the_work_and_no_limit_is_overshot(
    receiver: Any, deliver: Callable[..., Any], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    most = 0
    under_way = 0
    counting = threading.Lock()

    def answer(_: Any) -> tuple[int, dict[str, str], bytes]:
        nonlocal most, under_way
        with counting:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.002)
        with counting:
            under_way -= 1
        return 200, {}, b"ok"

    receiver.answer = answer
    endpoint(receiver.url, max_in_flight=3)
    publish(200)
    for _ in range(3):
        deliver()
    db.wait_for_statuses(*["succeeded"] * 200)
    assert len(receiver.received) == 200
    assert most <= 3
