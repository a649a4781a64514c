"""No operation of the public API is without a test: each was called in this run, and did what it was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty_gateway.api.contracts import load, public_operations
from loyalty_gateway.api.routes import RouteTable
from loyalty_local.layout import DATABASES
from loyalty_testing import calls


@pytest.mark.whole_run
def test_every_operation_was_called_by_a_test_and_answered_with_success(contracts: Path) -> None:
    operations = list(public_operations(load(contracts / "openapi", DATABASES)))
    routes = RouteTable(operations)  # The gateway's own: it knows which operation a path is.
    called = set()
    for method, path in calls.answered:
        node, _ = routes.find(path.removeprefix("/").split("/")) or (None, [])
        if node and method in node.routes:
            called.add((method, node.routes[method].template))
    uncalled = [f"{each.method} {each.path}" for each in operations if (each.method, each.path) not in called]
    assert not uncalled, "\n".join(uncalled)
