"""Limits of one process, of several, and of a Redis that comes and goes."""

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from loyalty_gateway.domain.failed_attempts import FailedAttempts
from loyalty_gateway.domain.gcra import Bucket
from loyalty_gateway.domain.limits import LocalLimits, open_limits
from loyalty_testing.machine import free_port


@pytest.fixture
def bucket(request):
    """A bucket of its own for every test."""
    return Bucket.of("key", f"limit:{{1}}:{request.node.name}", per_minute=1, burst=10)


def test_two_processes_share_one_limit_in_redis(redis_server, bucket):
    one, other = open_limits(redis_server.url, parts=2), open_limits(redis_server.url, parts=2)
    granted = [limits.take([bucket]).allowed for limits in (one, other) * 7]
    assert granted == [True] * 10 + [False] * 4


TAKER = """
import sys
from loyalty_gateway.domain.gcra import Bucket
from loyalty_gateway.domain.limits import open_limits
limits = open_limits(sys.argv[1], parts=1, redis_timeout_s=5)
buckets = [Bucket.of(name, f"limit:{{1}}:{sys.argv[2]}:{name}", per_minute=1, burst=100) for name in ("key", "all")]
decisions = [limits.take(buckets) for _ in range(60)]
assert {decision.store for decision in decisions} == {"redis"}
print(sum(decision.allowed for decision in decisions))
"""


def test_four_processes_at_once_get_together_what_one_would_get(redis_server, request):
    command = [sys.executable, "-c", TAKER, redis_server.url, request.node.name]
    takers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    granted = [int(taker.communicate(timeout=60)[0]) for taker in takers]
    assert sum(granted) == 100


def test_redis_lets_a_request_through_again_when_its_time_has_come(redis_server, request):
    bucket = Bucket.of("key", request.node.name, per_minute=60, burst=1)
    limits = open_limits(redis_server.url, parts=1)
    assert limits.take([bucket]).allowed
    refused = limits.take([bucket])
    assert not refused.allowed
    assert 0 < refused.wait_us <= 1_000_000
    deadline = time.monotonic() + 5
    while not limits.take([bucket]).allowed:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_full_bucket_leaves_nothing_behind_in_redis(redis_server, redis_client, request):
    bucket = Bucket.of("key", request.node.name, per_minute=60_000, burst=10)
    limits = open_limits(redis_server.url, parts=1)
    limits.take([bucket])
    assert 0 < redis_client.pttl(request.node.name) <= 1002


def test_without_redis_each_process_gives_out_its_part_and_says_so_once(bucket):
    limits = open_limits(f"redis://127.0.0.1:{free_port()}", parts=2)
    with capture_logs() as lines:
        granted = [limits.take([bucket]).allowed for _ in range(8)]
    assert granted == [True] * 5 + [False] * 3
    assert [line["event"] for line in lines] == ["limits_local"]


def test_a_redis_that_says_nothing_costs_a_blink_and_not_every_request(bucket):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = open_limits(f"redis://127.0.0.1:{silent.getsockname()[1]}", parts=1)
        started = time.monotonic()
        for _ in range(10):
            limits.take([bucket])
        assert time.monotonic() - started < 2


def test_limits_are_shared_again_once_redis_is_back(redis_server, bucket):
    limits = open_limits(redis_server.url, parts=1)
    limits.take([bucket])
    redis_server.stop()
    try:
        with capture_logs() as lines:
            assert limits.take([bucket]).allowed
            assert limits.take([bucket]).allowed
    finally:
        redis_server.start()
    assert [line["event"] for line in lines] == ["limits_local"]
    deadline = time.monotonic() + 10
    with capture_logs() as lines:
        while not lines:
            assert time.monotonic() < deadline
            limits.take([Bucket.of("other", "other", per_minute=60_000, burst=1000)])
            time.sleep(0.05)
    assert [(line["event"], line["decided_alone"] >= 2) for line in lines] == [("limits_shared", True)]


def test_after_a_restart_not_one_of_many_kept_connections_costs_a_decision_alone(redis_server, bucket):
    limits = open_limits(redis_server.url, parts=1, redis_timeout_s=5)
    with ThreadPoolExecutor(8) as callers:
        list(callers.map(limits.take, [[bucket]] * 200))
        redis_server.stop()
        redis_server.start()
        with capture_logs() as lines:
            decisions = list(callers.map(limits.take, [[bucket]] * 200))
    assert {decision.store for decision in decisions} == {"redis"}
    assert lines == []


def test_buckets_that_are_full_again_are_forgotten():
    now_us = 0
    local = LocalLimits(clock_us=lambda: now_us)
    for number in range(10_000):
        local.take([Bucket.of("address", str(number), per_minute=60, burst=1)])
    now_us += 2_000_000
    local.take([Bucket.of("address", "one more", per_minute=60, burst=1)])
    assert len(local._arrivals) == 1


def test_an_address_that_fails_too_often_has_to_wait_and_its_neighbour_has_not():
    attempts = FailedAttempts(LocalLimits(clock_us=lambda: 0))
    for _ in range(200):
        assert attempts.wait_s("203.0.113.7") == 0
        attempts.count("203.0.113.7")
    assert attempts.wait_s("203.0.113.7") == 1
    assert attempts.wait_s("203.0.113.8") == 0


def test_one_customer_of_a_provider_is_one_address_under_ipv6():
    attempts = FailedAttempts(LocalLimits(clock_us=lambda: 0))
    for number in range(200):
        attempts.count(f"2001:db8:1:2::{number:x}")
    assert attempts.wait_s("2001:db8:1:2:ffff::1") == 1
    assert attempts.wait_s("2001:db8:1:3::1") == 0
