"""A secret is rotated under load: at no moment does neither secret verify; without an overlap the old one is over.

Hard test 8 of the webhooks' design.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loyalty_testing.soak import SOAKING

Endpoint = Callable[..., dict[str, Any]]
ROTATIONS = 60 if SOAKING else 6
AHEAD = 200
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900 if SOAKING else 300)]


def verifies(received: Any, secret: str) -> bool:
    """As a receiver does that knows this one secret: by the reference's headers, and by those of Standard Webhooks."""
    headers = received.headers
    signed = headers["x-loyalty-timestamp"].encode() + b"." + received.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    by_reference = expected in (headers["x-loyalty-signature"], headers.get("x-loyalty-signature-previous"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + received.body
    digest = base64.b64encode(hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()).decode()
    by_standard = f"v1,{digest}" in headers["webhook-signature"].split(" ")
    assert by_reference == by_standard
    return by_reference


@pytest.fixture
def loaded(publish: Callable[..., Any], receiver: Any) -> Iterator[None]:
    """Events come in all the time, as fast as they are delivered."""
    over = threading.Event()

    def load() -> None:
        published = 0
        while not over.is_set():
            if published - len(receiver.received) > AHEAD:
                over.wait(0.01)
                continue
            publish(5)
            published += 5

    thread = threading.Thread(target=load)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def settled(db: Any) -> Callable[[], int]:
    """Waits until all that was logged by now is delivered; the log's last number of now."""

    def wait() -> int:
        [log] = db.rows("select last_sequence from event_sequences where tenant_id = :tenant_id")
        left = (
            "select 1 from webhook_deliveries where tenant_id = :tenant_id and sequence <= :last and status = 'pending'"
        )
        db.wait(lambda: not db.rows(left, last=log.last_sequence), within_s=60)
        last: int = log.last_sequence
        return last

    return wait


def test_who_holds_the_new_and_the_old_secret_can_verify_every_delivery(
    receiver: Any,
    sending: Callable[..., None],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    loaded: None,
    settled: Callable[[], int],
    call: Any,
) -> None:
    made = endpoint(receiver.url)
    held, unverified, by_old_alone = [made["signing_secret"]], [], []

    def receive(received: Any) -> tuple[int, dict[str, str], bytes]:
        known = list(held)
        (by_old_alone if verifies(received, known[0]) else []).append(received)
        if not any(verifies(received, secret) for secret in known):
            unverified.append(received)
        return 204, {}, b""

    receiver.answer = receive
    publish()
    sending()
    for _ in range(ROTATIONS):
        settled()
        rotated = call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret", {"overlap_hours": 1}).json["data"]
        held[:] = [held[-1], rotated["signing_secret"]]
    settled()
    assert len(receiver.received) > 50
    assert unverified == []
    # Nor has anybody to be quick: who still holds only the old one verifies all that came, too.
    assert len(by_old_alone) >= len(receiver.received)
    last = receiver.received[-1]
    assert [verifies(last, secret) for secret in held] == [True, True]


def test_without_an_overlap_nothing_that_is_claimed_later_verifies_with_the_old_secret(
    receiver: Any,
    sending: Callable[..., None],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    loaded: None,
    settled: Callable[[], int],
    call: Any,
) -> None:
    made = endpoint(receiver.url)
    publish()
    sending()
    old = made["signing_secret"]
    for _ in range(ROTATIONS):
        receiver.wait_for(len(receiver.received) + 20)
        rotated = call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret", {"overlap_hours": 0}).json["data"]
        after = {str(message.id) for message in publish(20)}
        settled()
        later = [each for each in receiver.received if each.headers["webhook-id"] in after]
        assert len(later) == 20
        assert {(verifies(each, old), verifies(each, rotated["signing_secret"])) for each in later} == {(False, True)}
        assert all("x-loyalty-signature-previous" not in each.headers for each in later)
        old = rotated["signing_secret"]
    # Each was verified by one or the other, all along.
    assert all(len(each.headers["webhook-signature"].split(" ")) == 1 for each in receiver.received)


def test_the_overlap_ends_by_the_clock_of_the_database(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any, call: Any
) -> None:
    made = endpoint(receiver.url)
    call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret", {"overlap_hours": 1})
    publish()
    sending()
    (during,) = receiver.wait_for(1)
    assert verifies(during, made["signing_secret"])
    db.rows("update webhook_endpoints set previous_secret_expires_at = now() where tenant_id = :tenant_id")
    publish()
    after = receiver.wait_for(2)[1]
    assert not verifies(after, made["signing_secret"])
