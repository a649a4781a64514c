"""The whole suite as real processes, organizations of their own, and receivers."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loyalty_local.suite import Suite
from loyalty_testing.integrator import Integrator
from loyalty_testing.receiver import Receiver, receiving

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def start_suite(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Suite]:
    """Start a suite in a folder of its own, ready; the caller ends it. Keywords are ``Suite``'s."""

    def start(**options: Any) -> Suite:
        suite = Suite(tmp_path_factory.mktemp("suite"), port=free_port(), **options)
        suite.start()
        suite.wait_ready()
        return suite

    return start


@pytest.fixture(scope="session")
def suite(start_suite: Callable[..., Suite]) -> Iterator[Suite]:
    """As ``make run`` starts it: embedded PostgreSQL, events over HTTP, limits in the process."""
    suite = start_suite()
    yield suite
    suite.stop()


@pytest.fixture(scope="session")
def found_merchant() -> Founding:
    """Creates an organization by the gateway's own commands."""

    def found(suite: Suite) -> Merchant:
        def gateway(*arguments: str) -> Any:
            return json.loads(suite.run("gateway", *arguments))

        name = f"Merchant {next(_numbers)}"
        place = ("--time-zone", "America/New_York")
        organization = gateway(
            "organizations", "create", "--name", name, "--plan", "demo", "--currency", "USD", "--country", "US", *place
        )
        number = str(organization["id"])
        location = gateway("locations", "create", "--organization", number, "--name", "Riverside", *place)
        keys = {
            mode: gateway("keys", "create", "--organization", number, "--name", "Till", "--mode", mode)["key"]
            for mode in ("live", "test")
        }
        apis = {mode: Integrator(suite.base_url, key) for mode, key in keys.items()}
        return Merchant(organization["id"], location["id"], keys["live"], apis["live"], apis["test"])

    return found


@pytest.fixture
def merchant(suite: Suite, found_merchant: Founding) -> Merchant:
    """A merchant that no other test knows."""
    return found_merchant(suite)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def contracts() -> Path:
    return Path(__file__).parents[1] / "contracts"
