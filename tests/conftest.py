"""The whole suite as real processes, organizations of their own, and receivers."""

from __future__ import annotations

import base64
import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loyalty_common.database import create_engine
from loyalty_gateway.domain import api_keys, locations, organizations
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.keys import ENTROPY_BYTES
from loyalty_gateway.domain.scopes import ALL_SCOPES
from loyalty_local.suite import Suite, forget
from loyalty_testing.collector import Collector, collecting
from loyalty_testing.integrator import Integrator
from loyalty_testing.machine import free_port
from loyalty_testing.rabbitmq import RabbitMQ
from loyalty_testing.receiver import Receiver, receiving
from loyalty_testing.redis import Redis

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Merchant:
    """An organization of the suite with one location and a key per mode."""

    organization_id: int
    partner_location_id: int
    live_key: str
    api: Integrator
    test_api: Integrator


Founding = Callable[[Suite], Merchant]


@pytest.fixture(scope="session")
def start_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Suite]]:
    """Start a suite in a folder of its own, ready; the caller ends it. Keywords are ``Suite``'s."""
    suites = []

    def start(**options: Any) -> Suite:
        suite = Suite(tmp_path_factory.mktemp("suite"), port=free_port(), **options)
        suites.append(suite)
        suite.start()
        suite.wait_ready()
        return suite

    yield start
    for suite in suites:
        suite.stop()
        forget(suite.directory)  # As root, PostgreSQL's data are not in the folder that pytest removes.


@pytest.fixture(scope="session")
def suite(start_suite: Callable[..., Suite]) -> Iterator[Suite]:
    """As ``make run`` starts it: embedded PostgreSQL, events over HTTP, limits in the process."""
    suite = start_suite()
    yield suite
    suite.stop()


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Takes the traces of ``broker_suite``."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
def broker_suite(
    start_suite: Callable[..., Suite], rabbitmq: RabbitMQ, redis_server: Redis, collector: Collector
) -> Iterator[Suite]:
    """As on a cluster: events over RabbitMQ, limits in Redis, traces to a collector."""
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    suite = start_suite(events_url=rabbitmq.url, redis_url=redis_server.url, environment=traced)
    yield suite
    suite.stop()


@pytest.fixture(scope="session")
def found_merchant() -> Founding:
    """Creates an organization as the gateway's account commands do."""

    def found(suite: Suite) -> Merchant:
        peppers = {int(version): base64.b64decode(key) for version, key in suite.layout.keys.key_peppers.items()}
        engine = create_engine(suite.layout.database_urls["gateway"], pool_size=1, application_name="tests")
        occasion = Occasion.of_operator(datetime.now(UTC))
        place = {"name": f"Merchant {next(_numbers)}", "time_zone": "America/New_York"}
        with engine.begin() as accounts:
            terms = {"plan_code": "demo", "currency": "USD", "country": "US"}
            organization = organizations.create(accounts, **terms, **place, occasion=occasion)
            of = {"organization_id": organization["id"]}
            location = locations.create(accounts, **of, **place, occasion=occasion)
            live, test = (
                api_keys.create(
                    accounts,
                    **of,
                    name="Till",
                    mode=mode,
                    scopes=ALL_SCOPES,
                    peppers=peppers,
                    entropy=secrets.token_bytes(ENTROPY_BYTES),
                    occasion=occasion,
                )["key"]
                for mode in ("live", "test")
            )
        engine.dispose()
        api, test_api = Integrator(suite.base_url, live), Integrator(suite.base_url, test)
        return Merchant(organization["id"], location["id"], live, api, test_api)

    return found


@pytest.fixture
def merchant(suite: Suite, found_merchant: Founding) -> Merchant:
    """A merchant that no other test knows."""
    return found_merchant(suite)


@pytest.fixture(params=["embedded", "broker"])
def founded(request: pytest.FixtureRequest, found_merchant: Founding) -> Merchant:
    """A merchant that no other test knows, of a suite with each transport of events."""
    return found_merchant(request.getfixturevalue("suite" if request.param == "embedded" else "broker_suite"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def contracts() -> Path:
    return Path(__file__).parents[1] / "contracts"


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it never came to be"
            time.sleep(0.05)

    return wait
