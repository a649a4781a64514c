"""Visitors of the dashboard, each with a browser that knows no JavaScript."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from loyalty_testing.visitor import Visitor
from tests.people import Person, cookie, new_person

Arriving = Callable[..., Visitor]
_PATIENCE_S = 30


@pytest.fixture(scope="session")
def visit(suite: Any) -> Callable[[], Visitor]:
    """A stranger."""
    return lambda: Visitor(suite.layout.addresses.url("dashboard-serve"))


@pytest.fixture
def owner(suite: Any, merchant: Any) -> Person:
    return new_person(suite, merchant.organization_id)


@pytest.fixture
def arrive(suite: Any, merchant: Any, visit: Callable[[], Visitor]) -> Arriving:
    """``arrive("staff")``: somebody of the merchant who has signed in; or whoever is given."""

    def arrive(who: str | Person = "owner", *, mode: str = "live") -> Visitor:
        person = new_person(suite, merchant.organization_id, who) if isinstance(who, str) else who
        visitor = visit()
        name, value = cookie(suite, person, mode=mode)
        visitor.session.cookies.set(name, value, domain="127.0.0.1", path="/")
        return visitor

    return arrive


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it never came to be"
            time.sleep(0.05)

    return wait
