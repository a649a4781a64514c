"""After all tests no secret is left where it does not belong: in no log, and in no row of any database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from psycopg import sql

from loyalty_local.postgres import Embedded
from tests.system import leaks


@pytest.mark.whole_run
def test_nothing_that_any_test_did_left_a_secret_in_a_log_or_a_database(
    suite: Any, broker_suite: Any, postgres: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    servers = [Embedded.of(each.directory, each.layout.keys).url for each in (suite, broker_suite)]
    own = [leaks.of_suite(each.layout.keys) for each in (suite, broker_suite)]
    kinds = leaks.KINDS | {name: b"|".join(keys[name] for keys in own) for name in own[0]}
    folders = [tmp_path_factory.getbasetemp()]
    assert leaks.found(kinds, servers=[*servers, postgres.url], folders=folders) == []


@pytest.fixture
def planted() -> Iterator[Path]:
    """A folder that is not among those of the tests: what lies in it must not be found at the end of the run."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def test_what_is_left_would_be_found(postgres: Any, merchant: Any, receiver: Any, planted: Path) -> None:
    endpoint = merchant.api.data("POST", "/webhook-endpoints", {"url": receiver.url})
    header, claims, signature = "eyJhbGciOiJFZERTQSIsImtpZCI6", "eyJvcmdhbml6YXRpb24iOnsiaWQ", "c2lnbmF0dXJlIG9mIG91"
    (planted / "serve.log").write_text(f'{{"event": "oops", "key": "{merchant.live_key}"}}')
    (planted / "relay.log.1").write_text(f"Authorization: Bearer {header}.{claims}.{signature}")
    (planted / "log").write_text(f"of a key its beginning may be told: {merchant.live_key[:19]}")
    url = postgres.create_database("leaky")
    name = url.rpartition("/")[2]
    with psycopg.connect(url) as leaky:
        leaky.execute("create table replies (body jsonb)")
        leaky.execute("insert into replies values (jsonb_build_object('data', %s::text))", [endpoint["signing_secret"]])
    with psycopg.connect(postgres.url, autocommit=True) as server:
        left = leaks.found(leaks.KINDS, servers=[postgres.url], folders=[planted])
        server.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
    assert {
        "an API key in serve.log",
        "a service's identity in relay.log.1",
        f"a signing secret in {name}: public.replies",
    } <= set(left)
    assert not [leak for leak in left if leak.endswith(" in log")]
