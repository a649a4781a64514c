"""Signing secrets are shown once: afterwards no table, no log and no answer has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

pytestmark = pytest.mark.soak  # hard test 12 of the webhooks' design, with test_isolation.py

TABLES = """
    select format('%I.%I', table_schema, table_name) from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
"""


def stored(suite: Any) -> Iterator[tuple[str, str]]:
    """Every row and every line that the suite has written."""
    for service, url in suite.layout.database_urls.items():
        with psycopg.connect(url) as connection:
            for (table,) in connection.execute(TABLES).fetchall():
                schema, _, name = table.partition(".")
                rows = connection.execute(sql.SQL("select t::text from {} t").format(sql.Identifier(schema, name)))
                yield from ((f"{service}: {table}", row) for (row,) in rows)
    for log in sorted(Path(suite.directory, "log").rglob("*")):
        if log.is_file():
            yield from ((log.name, line) for line in log.read_text(errors="replace").splitlines())


def test_a_secret_is_in_the_answer_that_shows_it_and_nowhere_else(suite: Any, merchant: Any, receiver: Any) -> None:
    api, answers = merchant.api, []

    def asked(method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = api.call(method, path, body, **options)
        assert answer.status_code == 200, answer.text
        answers.append(answer.text)
        return answer.json()["data"]

    made = api.data("POST", "/webhook-endpoints", {"url": receiver.url}, key="make")
    path = f"/webhook-endpoints/{made['id']}"
    rotated = api.data("POST", f"{path}/rotate-secret", key="rotate")
    secrets = [made["signing_secret"], rotated["signing_secret"]]
    receiver.status = 500
    api.data("POST", "/customers", {"email": "alex@example.com"})
    receiver.events("customer.created")
    while (delivery := asked("GET", "/webhook-deliveries")[0])["attempt_count"] == 0:
        pass
    asked("POST", f"/webhook-deliveries/{delivery['id']}/redeliver")
    asked("GET", f"/webhook-deliveries/{delivery['id']}")
    assert asked("POST", f"{path}/test")["delivered"] is False
    asked("PATCH", path, {"description": "Office"})
    asked("POST", f"{path}/rotate-secret", key="rotate")
    for read in (path, f"{path}/stats", "/webhook-endpoints", "/events"):
        asked("GET", read)
    assert receiver.received[-1].is_signed_with(secrets[1])

    parts = [part for secret in secrets for part in (secret, secret.removeprefix("whsec_"))]
    found = [place for place, written in stored(suite) if any(part in written for part in parts)]
    assert found == []
    assert [answer for answer in answers if any(part in answer for part in parts)] == []
