"""What is said again and again is remembered by the driver: psycopg's memo takes statements of up to 4,096 bytes."""

from __future__ import annotations

import importlib
import pkgutil

from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from loyalty_common.database import Rendered
from loyalty_common.record import Record

SERVICES = ("gateway", "customers", "programs", "vouchers", "webhooks")


def rendered_at_import() -> dict[str, str]:
    """The text of each statement by the name that its module gives it."""
    found = {}
    for service in SERVICES:
        domain = importlib.import_module(f"loyalty_{service}.domain")
        for module in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                statement = value._statement if isinstance(value, Record) else value
                if isinstance(statement, Rendered):
                    found[f"{module.name}.{name}"] = statement.sql
    return found


def test_every_statement_of_the_hot_path_is_short_enough_to_be_remembered() -> None:
    """docs/decisions/0002-record-step.md says what a longer one costs."""
    lengths = {name: len(sql.encode()) for name, sql in rendered_at_import().items()}
    assert len([name for name in lengths if "_RECORD" in name]) > 30, "otherwise this test looks in the wrong places"
    assert {name: length for name, length in lengths.items() if length > MAX_CACHED_STATEMENT_LENGTH} == {}
