"""Visitors of the dashboard, each with a browser that knows no JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty_testing.visitor import Visitor
from tests.people import Person, cookie, new_person


@pytest.fixture(scope="session")
def visit(suite: Any) -> Callable[[], Visitor]:
    """A stranger."""
    return lambda: Visitor(suite.layout.addresses.url("dashboard-serve"))


@pytest.fixture(scope="session")
def enter(suite: Any, visit: Callable[[], Visitor]) -> Callable[..., Visitor]:
    """``enter(organization_id, "staff")``: somebody new who has signed in; or whoever is given."""

    def enter(organization_id: int, who: str | Person, *, mode: str = "live") -> Visitor:
        person = new_person(suite, organization_id, who) if isinstance(who, str) else who
        visitor = visit()
        name, value = cookie(suite, person, mode=mode)
        visitor.session.cookies.set(name, value, domain="127.0.0.1", path="/")
        return visitor

    return enter


@pytest.fixture
def owner(suite: Any, merchant: Any) -> Person:
    return new_person(suite, merchant.organization_id)


@pytest.fixture
def arrive(merchant: Any, enter: Callable[..., Visitor]) -> Callable[..., Visitor]:
    """``arrive("staff")``: the same, of the test's own merchant."""
    return lambda who="owner", **options: enter(merchant.organization_id, who, **options)
