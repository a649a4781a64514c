"""An instance that fails is left alone; one request at a time finds out whether it is back."""

import socket
import time

import pytest

from loyalty_common.errors import ApiError, BadGateway, GatewayTimeout, Unavailable
from loyalty_gateway.api import origin
from loyalty_gateway.api.exchange import Call
from loyalty_gateway.api.origin import Origin
from loyalty_gateway.api.upstream import Upstream
from loyalty_testing.machine import free_port

GET = Call("GET", "/v1/loyalty-cards", [], None, 0.05)


@pytest.fixture
def clock(monkeypatch):
    """The time as instances see it; stands still until it is moved."""

    class Clock:
        now = 1_000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(origin, "time", clock)
    monkeypatch.setattr("loyalty_gateway.api.upstream.time", clock)
    return clock


@pytest.fixture
def service():
    """``service(url, …)``: what the gateway has of a service behind these URLs."""
    made = []

    def create(*urls):
        made.append(Upstream("programs", urls))
        return made[-1]

    yield create
    for upstream in made:
        for instance in upstream._origins:
            instance.drop_idle()


def outcome(upstream, call=GET):
    try:
        return upstream.send(call).status
    except ApiError as error:
        return type(error)


def test_an_instance_rests_twice_as_long_after_each_failure_and_two_seconds_at_most(clock):
    instance, rests = Origin("http://127.0.0.1:9"), []
    for _ in range(7):
        assert instance.is_ready(clock.now)
        instance.failed(asked_at=clock.now)
        rests.append(round(instance.rests_until - clock.now, 3))
        clock.now = instance.rests_until
    assert rests == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert instance.is_open
    instance.answered()
    assert not instance.is_open
    assert instance.is_ready(clock.now)


def test_many_requests_that_break_at_once_are_one_failure(clock):
    instance, asked_at = Origin("http://127.0.0.1:9"), clock.now
    clock.now += 0.5
    for _ in range(20):
        instance.failed(asked_at=asked_at)
    assert not instance.is_open


def test_after_its_rest_one_request_finds_out_and_the_others_wait_on(clock):
    instance = Origin("http://127.0.0.1:9")
    instance.failed(asked_at=clock.now)
    clock.now += 0.11
    assert [instance.is_ready(clock.now) for _ in range(3)] == [True, False, False]


def test_a_service_that_hangs_is_given_up_after_five_and_asked_again_after_its_rest(clock, service):
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        programs = service(f"http://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(5):
            assert outcome(programs) is GatewayTimeout
            clock.now += 0.01
        started = time.monotonic()
        assert outcome(programs, Call("GET", "/", [], None, 30.0)) is Unavailable
        assert time.monotonic() - started < 5
        clock.now += 2
        assert outcome(programs) is GatewayTimeout
        assert outcome(programs) is Unavailable


def test_no_request_waits_for_an_instance_that_is_only_starting(clock, service, new_upstream):
    with socket.create_server(("127.0.0.1", 0), backlog=50) as starting:
        one = new_upstream()
        programs = service(one.url, f"http://127.0.0.1:{starting.getsockname()[1]}")
        patient = Call("GET", "/v1/loyalty-cards", [], None, 30.0)
        for instance in programs._origins:
            instance.failed(asked_at=clock.now)
        clock.now += 0.11
        started = time.monotonic()
        assert [outcome(programs, patient) for _ in range(4)] == [200] * 4
        assert time.monotonic() - started < 15


def test_how_long_to_wait_is_told(clock, service):
    programs = service(f"http://127.0.0.1:{free_port()}")
    for _ in range(5):
        assert outcome(programs) is Unavailable
        clock.now += 0.01
    with pytest.raises(Unavailable) as refused:
        programs.send(GET)
    assert refused.value.headers == {"Retry-After": "2"}


def test_a_service_without_any_instance_left_alone_is_still_tried(clock, service, upstream):
    """One failure is no reason to refuse while there is nobody else to ask."""
    programs = service(upstream.url)
    call = Call("GET", "/", [], None, 10.0)
    upstream.behave = lambda handler: setattr(handler, "close_connection", True)
    assert outcome(programs, call) is BadGateway
    upstream.behave = None
    assert outcome(programs, call) == 200


def test_a_call_that_broke_goes_to_the_other_instance_and_an_instance_that_is_gone_costs_no_retry(
    clock, service, new_upstream
):
    one, other = new_upstream(), new_upstream()
    programs = service(one.url, other.url, f"http://127.0.0.1:{free_port()}")
    call = Call("POST", "/v1/loyalty-cards", [("Idempotency-Key", "POS-88421")], b"{}", 10.0)
    other.behave = lambda handler: setattr(handler, "close_connection", True)
    # Whichever comes first: to broken, and from there past the one that is gone, to the one that answers.
    assert [outcome(programs, call) for _ in range(3)] == [200, 200, 200]
    assert len(one.received) == 3
