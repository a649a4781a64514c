"""Four gateway processes, and a key that must not be accepted by any of them any more."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest

from loyalty_gateway.domain import api_keys, organizations
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.scopes import OPERATORS

CARDS = "/api/v1/loyalty-cards"
PROCESSES = 4
WITHIN_S = 1.0
CUT = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%, revocations'"


class Heard(NamedTuple):
    process: int
    asked_at: float
    status: int
    reason: str | None


@pytest.fixture(scope="module")
def fleet(start_gateway, upstream_server):
    with ThreadPoolExecutor(PROCESSES) as starting:
        return list(starting.map(lambda _: start_gateway(PROGRAMS_URL=upstream_server.url), range(PROCESSES)))


@contextmanager
def load(fleet: list[Any], key: str) -> Iterator[list[Heard]]:
    """Two clients at each process, asking as fast as they can; what they heard so far."""
    heard: list[Heard] = []
    over, numbers = threading.Event(), itertools.count()

    def client(process: int) -> None:
        while not over.is_set():
            asked_at = time.monotonic()
            # From an address of its own each time: one that goes on with a revoked key is held back with 429.
            number = next(numbers)
            address = {"X-Forwarded-For": f"198.18.{number // 256 % 256}.{number % 256}"}
            answer = fleet[process].ask("GET", CARDS, key=key, headers=address)
            reason = answer.json["error"]["reason"] if answer.status != 200 else None
            heard.append(Heard(process, asked_at, answer.status, reason))

    with ThreadPoolExecutor(2 * len(fleet)) as clients:
        asking = [clients.submit(client, process) for process in [*range(len(fleet))] * 2]
        try:
            yield heard
        finally:
            over.set()
    for one in asking:
        one.result()


def everywhere(heard: list[Heard], *, status: int, since: float = 0.0) -> bool:
    return {one.process for one in heard if one.status == status and one.asked_at > since} == set(range(PROCESSES))


def revoke(connection, key, occasion):
    of = {"organization_id": key["organization_id"], "api_key_id": key["id"]}
    api_keys.revoke(connection, **of, authority=OPERATORS, occasion=occasion)


def replace(connection, key, occasion):
    of = {"organization_id": key["organization_id"], "api_key_id": key["id"], "overlap": timedelta(0)}
    new = {"peppers": {1: b"p" * 32}, "entropy": key["key"].encode()[-40:]}
    api_keys.rotate(connection, **of, **new, authority=OPERATORS, occasion=occasion)


def narrow(connection, key, occasion):
    of = {"organization_id": key["organization_id"], "api_key_id": key["id"]}
    changes = {"allowed_cidrs": ["203.0.113.0/24"]}
    api_keys.change(connection, **of, changes=changes, authority=OPERATORS, occasion=occasion)


def suspend(connection, key, occasion):
    organizations.suspend(connection, key["organization_id"], occasion=occasion)


@pytest.mark.parametrize(
    ("change_it", "status", "reason"),
    [
        (revoke, 401, "key_revoked"),
        (replace, 401, "key_expired"),
        (narrow, 403, "address_not_allowed"),
        (suspend, 403, "organization_suspended"),
    ],
)
def test_a_second_after_the_change_no_process_accepts_the_key(
    fleet, upstream, engine, new_key, until, change_it, status, reason
):
    key = new_key()
    with load(fleet, key["key"]) as heard:
        until(lambda: everywhere(heard, status=200))
        with engine.begin() as connection:
            change_it(connection, key, Occasion.of_operator(datetime.now(UTC)))
        changed_at = time.monotonic()
        until(lambda: everywhere(heard, status=status, since=changed_at + WITHIN_S))
    assert {(one.status, one.reason) for one in heard if one.asked_at > changed_at + WITHIN_S} == {(status, reason)}


def test_an_organization_that_is_resumed_is_let_in_again_within_a_second(fleet, upstream, engine, new_key, until):
    key = new_key()
    with engine.begin() as connection:
        suspend(connection, key, Occasion.of_operator(datetime.now(UTC)))
    assert {gateway.ask("GET", CARDS, key=key["key"]).status for gateway in fleet} == {403}
    with engine.begin() as connection:
        organizations.resume(connection, key["organization_id"], occasion=Occasion.of_operator(datetime.now(UTC)))
    resumed_at = time.monotonic()
    until(lambda: time.monotonic() > resumed_at + WITHIN_S)
    assert {gateway.ask("GET", CARDS, key=key["key"]).status for gateway in fleet} == {200}


def test_a_revocation_that_nobody_announced_is_seen_within_five_seconds(fleet, upstream, new_key, change, until):
    key = new_key()
    with load(fleet, key["key"]) as heard:
        until(lambda: everywhere(heard, status=200))
        change("update api_keys set revoked_at = now() where id = :id", id=key["id"])
        revoked_at = time.monotonic()
        until(lambda: everywhere(heard, status=401, since=revoked_at + 5))
    assert {one.status for one in heard if one.asked_at > revoked_at + 5} == {401}


def test_with_the_channel_cut_a_revoked_key_is_out_within_five_seconds(
    fleet, upstream, engine, postgres, accounts_url, new_key, until
):
    """No process can connect any more: they go on with the connections that they have for look-ups."""
    key = new_key()
    alter = f"alter database {accounts_url.rpartition('/')[2]} allow_connections"
    with (
        load(fleet, key["key"]) as heard,
        engine.connect() as connection,
        psycopg.connect(postgres.url, autocommit=True) as administrator,
    ):
        until(lambda: everywhere(heard, status=200))
        administrator.execute(f"{alter} false")
        try:
            administrator.execute(CUT)
            until(lambda: all(gateway.lines(event="revocations_unheard") for gateway in fleet))
            revoke(connection, key, Occasion.of_operator(datetime.now(UTC)))
            connection.commit()
            revoked_at = time.monotonic()
            until(lambda: everywhere(heard, status=401, since=revoked_at + 5))
        finally:
            administrator.execute(f"{alter} true")
    assert {one.status for one in heard if one.asked_at > revoked_at + 5} == {401}
    until(lambda: all(len(gateway.lines(event="revocations_heard")) > 1 for gateway in fleet))
