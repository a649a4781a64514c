"""Fixtures for every test of the suite; the root ``conftest.py`` loads them.

``postgres``, ``rabbitmq``, ``redis_server``: real servers for the whole session, looked for in the order of
``Server.open``. ``identity_keys``, ``gateway_token``: signed callers.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
import structlog

from loyalty_testing.keys import IdentityKeys
from loyalty_testing.machine import ServerMissing
from loyalty_testing.postgres import Postgres
from loyalty_testing.rabbitmq import RabbitMQ
from loyalty_testing.redis import Redis
from loyalty_testing.server import Server

_S = TypeVar("_S", bound=Server)


def pytest_configure() -> None:
    # A build that is cancelled gets SIGTERM: as with Ctrl-C, the fixtures then stop what they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # By default structlog has every traceback drawn with its local variables: one of SQLAlchemy's takes six seconds.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with _running(Postgres) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    with _running(RabbitMQ) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    with _running(Redis) as server:
        yield server


@pytest.fixture(scope="session")
def identity_keys() -> IdentityKeys:
    return IdentityKeys()


@pytest.fixture(scope="session")
def gateway_token(identity_keys: IdentityKeys) -> Callable[..., str]:
    """``gateway_token("programs", tenant_id=7, scopes=["programs:read"])``; what is left out has a default."""
    return identity_keys.gateway_token


@contextmanager
def _running(kind: type[_S]) -> Iterator[_S]:
    try:
        server = kind.open()
    except ServerMissing as missing:
        pytest.exit(str(missing), returncode=1)  # Once, instead of an error for every test.
    try:
        yield server
    finally:
        server.close()
