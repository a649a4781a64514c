"""Fixtures for every test of the suite; the root ``conftest.py`` loads them.

``postgres``, ``rabbitmq``, ``redis_server``: real servers for the whole session, looked for in the order of
``Server.open``. ``identity_keys``, ``gateway_token``: signed callers. ``mailbox``: what was mailed. A test with
the mark ``whole_run`` judges what all others did: it comes last, and is skipped where some were left out.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import pytest
import structlog

from loyalty_testing import calls
from loyalty_testing.keys import IdentityKeys
from loyalty_testing.machine import ServerMissing
from loyalty_testing.mailbox import Mailbox, receiving_mail
from loyalty_testing.postgres import Postgres
from loyalty_testing.rabbitmq import RabbitMQ
from loyalty_testing.redis import Redis
from loyalty_testing.server import Server

_S = TypeVar("_S", bound=Server)
_left_out = pytest.StashKey[bool]()


def pytest_configure() -> None:
    # A build that is cancelled gets SIGTERM: as with Ctrl-C, the fixtures then stop what they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # By default structlog has every traceback drawn with its local variables: one of SQLAlchemy's takes six seconds.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    calls.listen()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    if items:
        items[0].config.stash[_left_out] = True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_judges_the_run)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if _judges_the_run(item) and not _is_whole(item.config):
        pytest.skip("it judges a run of all tests in one process; of this one some were left out")


def _judges_the_run(item: pytest.Item) -> bool:
    return item.get_closest_marker("whole_run") is not None


def _is_whole(config: pytest.Config) -> bool:
    """Whether nobody chose among the tests, nor shared them out among processes."""
    chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.getoption("ignore")
    return not chosen and not config.stash.get(_left_out, False) and not hasattr(config, "workerinput")


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


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """An SMTP server of the test's own."""
    with receiving_mail() as mailbox:
        yield mailbox


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
