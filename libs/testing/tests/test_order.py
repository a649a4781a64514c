"""Where the servers of a test run come from."""

import signal

import pytest

from loyalty_testing import machine
from loyalty_testing.machine import ServerMissing, find_or_install
from loyalty_testing.redis import Redis


def test_a_server_named_in_the_environment_is_used_and_never_stopped(redis_server, monkeypatch):
    monkeypatch.setenv("TEST_REDIS_URL", redis_server.url)

    given = Redis.open()

    assert given.url == redis_server.url
    with pytest.raises(pytest.skip.Exception, match="TEST_REDIS_URL is not ours to stop"):
        given.stop()
    given.close()
    assert redis_server.answers()


def test_a_server_named_in_the_environment_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("TEST_REDIS_URL", f"redis://127.0.0.1:{machine.free_port()}/0")
    monkeypatch.setattr("loyalty_testing.server._READY_S", 0.2)

    with pytest.raises(ServerMissing, match="TEST_REDIS_URL"):
        Redis.open()


def test_who_may_not_install_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(ServerMissing, match="set TEST_REDIS_URL, or start Docker, or install it"):
        find_or_install(lambda: None, server="Redis", variable="TEST_REDIS_URL", package="redis-server")


def test_a_private_server_that_cannot_start_shows_why(redis_server, monkeypatch):
    port = int(redis_server.url.rpartition(":")[2].partition("/")[0])
    monkeypatch.setattr("loyalty_testing.server.free_port", lambda: port)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    monkeypatch.setattr("loyalty_testing.server.docker_answers", lambda: False)

    with pytest.raises(ServerMissing, match="Address already in use"):
        Redis.open()


def test_a_stopped_server_may_be_stopped_again(redis_server):
    redis_server.stop()
    redis_server.runner.stop(signal.SIGTERM)
    redis_server.start()
    assert redis_server.answers()
