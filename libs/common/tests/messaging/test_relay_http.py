import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from loyalty_common.identity import TokenVerifier
from loyalty_common.messaging.relay import run_relay


@pytest.fixture
def start_relay(service: Any, identity_keys: Any, running: Any) -> Any:
    """``start_relay(webhooks=listener, …)``; a subscriber may be an address as well."""

    def start(**subscribers: Any) -> threading.Event:
        addresses = {name: getattr(listener, "address", listener) for name, listener in subscribers.items()}
        stop: threading.Event = running(
            run_relay,
            engine=service.engine,
            outbox=service.outbox,
            publisher="programs",
            events_url=",".join(f"{name}={address}" for name, address in addresses.items()),
            signer=identity_keys.signer("programs"),
        )
        return stop

    return start


@pytest.fixture
def hanging(listen: Any) -> Iterator[Any]:
    """A subscriber that takes a request and does not answer before the test ends."""
    listener, over = listen(), threading.Event()
    listener.answer = lambda _: (503 if over.wait(30) else 500, [])
    yield listener
    over.set()


def test_an_event_leaves_once_every_subscriber_that_wants_it_has_it(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    webhooks, programs, vouchers = listen(), listen(), listen()
    updated, earned, moved = (
        service.emit(event, 30) for event in ("customer.updated", "loyalty.points_earned", "internal.location_updated")
    )
    start_relay(webhooks=webhooks, programs=programs, vouchers=vouchers)
    eventually(lambda: service.waiting() == 0)
    assert webhooks.received_ids() == sorted(updated + earned)
    assert programs.received_ids() == vouchers.received_ids() == sorted(updated + moved)


def test_a_subscriber_is_called_in_the_name_of_the_publisher(
    service: Any, listen: Any, start_relay: Any, eventually: Any, identity_keys: Any
) -> None:
    webhooks = listen()
    service.emit("voucher.redeemed")
    start_relay(webhooks=webhooks)
    eventually(lambda: service.waiting() == 0)
    [authorization] = webhooks.authorizations
    assert TokenVerifier("webhooks", identity_keys.public_keys).verify(authorization).issuer == "programs"


def test_only_the_subscribers_that_are_named_are_waited_for(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    programs = listen()
    service.emit("stamp.issued")  # for webhooks, which nobody named
    wanted = service.emit("customer.updated")
    start_relay(programs=programs)
    eventually(lambda: service.waiting() == 0)
    assert programs.received_ids() == wanted


@pytest.mark.parametrize("kind", ["refuses connections", "answers 503", "hangs"])
def test_a_subscriber_that_is_down_holds_up_no_other(
    service: Any, listen: Any, start_relay: Any, eventually: Any, hanging: Any, kind: str
) -> None:
    living, failing = listen(), listen()
    failing.answer = lambda _: (503, [])
    dead = {"refuses connections": "http://127.0.0.1:9", "answers 503": failing, "hangs": hanging}[kind]
    start_relay(webhooks=living, programs=dead)
    for round_number in range(5):
        service.emit("customer.updated", 50)
        eventually(lambda expected=50 * (round_number + 1): len(living.received) == expected, within_s=3)
    assert service.waiting() == 250
    assert len(living.requests) <= 25  # What waits for the other only is not sent again.


def test_what_waits_for_a_subscriber_that_is_down_is_not_written_again_and_again(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    living, dead = listen(), listen()
    dead.answer = lambda _: (503, [])
    start_relay(webhooks=living, programs=dead)
    service.emit("customer.updated", 20)
    eventually(lambda: len(living.received) == 20 and len(dead.requests) > 3)
    with service.engine.connect() as connection:
        before = connection.execute(text("SELECT id, xmin::text FROM outbox ORDER BY id")).all()
        seen = len(dead.requests)
        eventually(lambda: len(dead.requests) > seen + 1)
        assert connection.execute(text("SELECT id, xmin::text FROM outbox ORDER BY id")).all() == before


def test_a_subscriber_that_comes_back_gets_what_it_missed(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    webhooks, programs = listen(), listen()
    programs.answer = lambda _: (503, [])
    ids = service.emit("customer.updated", 450)
    start_relay(webhooks=webhooks, programs=programs)
    eventually(lambda: len(webhooks.received) == 450 and programs.requests)
    programs.answer = lambda _: (200, [])
    eventually(lambda: service.waiting() == 0)
    assert programs.received_ids() == webhooks.received_ids() == sorted(ids)


def test_a_rejected_event_is_tried_again_an_hour_later_and_the_others_leave(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    webhooks = listen()
    poison, *good = service.emit("customer.updated", 50)
    webhooks.answer = lambda _: (200, [{"id": str(poison), "error": "DataError"}])
    start_relay(webhooks=webhooks)
    eventually(lambda: len(webhooks.received) == 49)
    eventually(lambda: service.waiting() == 1)
    assert webhooks.received_ids() == sorted(good)
    with service.engine.connect() as connection:
        assert connection.scalar(
            text("SELECT available_at - now() BETWEEN '59 minutes' AND '1 hour' FROM outbox WHERE id = :id"),
            {"id": poison},
        )


def test_an_event_that_the_subscribers_edge_refuses_holds_up_no_other(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    webhooks = listen()
    unreadable, *good = service.emit("customer.updated", 20)
    webhooks.answer = lambda messages: (400 if unreadable in {message.id for message in messages} else 200, [])
    start_relay(webhooks=webhooks)
    eventually(lambda: service.waiting() == 1)
    assert webhooks.received_ids() == sorted(good)


def test_events_too_large_for_one_request_go_in_several(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    webhooks = listen()
    service.emit("stamp.issued", 10, payload='{"notes": "' + 200_000 * "x" + '"}')
    start_relay(webhooks=webhooks)
    eventually(lambda: service.waiting() == 0)
    assert len(webhooks.requests) == 5
    assert len(webhooks.received) == 10


def test_relays_side_by_side_share_the_subscribers_and_one_takes_over_from_the_other(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    webhooks, programs = listen(), listen()
    first = start_relay(webhooks=webhooks, programs=programs)
    start_relay(webhooks=webhooks, programs=programs)
    ids = service.emit("customer.updated", 1_000)
    eventually(lambda: service.waiting() == 0)
    assert webhooks.received_ids() == programs.received_ids() == sorted(ids)
    first.set()
    service.emit("customer.updated")
    eventually(lambda: service.waiting() == 0)


def test_confirmations_that_meet_on_one_event_are_both_kept(
    service: Any, listen: Any, start_relay: Any, eventually: Any
) -> None:
    listeners = listen(), listen(), listen()
    together = threading.Barrier(3, timeout=20)
    for listener in listeners:
        # All answer a batch at the same moment, so that the three confirmations of its rows collide.
        listener.answer = lambda _: ((together.wait() and 200) or 200, [])
    start_relay(**dict(zip(("webhooks", "programs", "vouchers"), listeners, strict=True)))
    for _ in range(10):
        ids = service.emit("customer.updated", 100)
        eventually(lambda: service.waiting() == 0)
        assert all(len(listener.received) % 100 == 0 for listener in listeners), ids
    assert all(len(listener.received) == 1_000 for listener in listeners)
