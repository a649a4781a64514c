"""Visitors of the dashboard, each with a browser that knows no JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty_testing.visitor import Visitor
from tests.people import PASSWORD, Person, new_person

Arriving = Callable[..., Visitor]


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

    def arrive(who: str | Person = "owner") -> Visitor:
        person = new_person(suite, merchant.organization_id, who) if isinstance(who, str) else who
        visitor = visit()
        arrived = visitor.sign_in(person.email, PASSWORD)
        assert arrived.url.endswith("/dashboard"), arrived.text
        return visitor

    return arrive
