"""Many keys that a gateway process has never seen, each used by several callers at the same moment."""

from __future__ import annotations

import base64
import http.client
import itertools
import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks import proxying, stage
from benchmarks.pace import Line, NotMeasured, Pace
from benchmarks.stage import Connection
from loyalty_gateway.domain import keys

_KEYS, _TIMES, _CONNECTIONS = 10_000, 8, 16
_COPY = "copy api_keys (organization_id, mode, name, kid, digest, pepper_version, last_four, scopes) from stdin"
_LOOK_UPS = "select idx_scan from pg_stat_user_indexes where indexrelname = 'uq_api_keys_kid'"


def on_a_cold_cache(_: Pace) -> list[Line]:
    with proxying.staged() as at, stage.database(at.suite, "gateway") as accounts:
        row = accounts.execute("select min(id) from organizations").fetchone()
        assert row is not None
        given_out = _given_out(accounts, at.suite.layout.keys.key_peppers, organization_id=row[0])
        before, started = _look_ups(accounts), time.perf_counter()
        _use(given_out, port=at.gateway)
        took_s = time.perf_counter() - started
        asked = _look_ups(accounts) - before
    measured = f"GET with {_KEYS:,} keys that are new to the gateway, {_TIMES} calls with each at once"
    rate = f"{_KEYS * _TIMES / took_s:,.0f}/s"
    return [Line(measured, rate, f"look-ups: {asked:,}", f"{asked / _KEYS:.4g} a key", "1 a key")]


def _given_out(accounts: Connection, peppers: Mapping[str, str], *, organization_id: int) -> list[str]:
    version, pepper = next(iter(peppers.items()))
    secret, scopes = base64.b64decode(pepper), ["customers:read"]
    made = [keys.mint(mode="live", entropy=secrets.token_bytes(keys.ENTROPY_BYTES)) for _ in range(_KEYS)]
    with accounts.cursor() as cursor, cursor.copy(_COPY) as rows:
        for key in made:
            digest = keys.digest(key, secret)
            rows.write_row([organization_id, "live", "Till", keys.kid_of(key), digest, int(version), key[-4:], scopes])
    accounts.execute("vacuum analyze api_keys")
    return made


def _use(given_out: Sequence[str], *, port: int) -> None:
    """Whoever is free makes the next call: those with one key come together."""
    calls = itertools.chain.from_iterable([key] * _TIMES for key in given_out)

    def client(_: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for key in calls:
            connection.request("GET", proxying.PATH, headers={"Authorization": f"Bearer {key}"})
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise NotMeasured(f"a request was answered {response.status}")
        connection.close()

    with ThreadPoolExecutor(_CONNECTIONS) as clients:
        list(clients.map(client, range(_CONNECTIONS)))


def _look_ups(accounts: Connection) -> int:
    """PostgreSQL's own count of look-ups by kid. Its processes tell what they did with a delay of up to ten seconds."""
    counts = [-1]

    def is_settled() -> bool:
        counts.append(stage.count(accounts, _LOOK_UPS))
        return counts[-1] == counts[-2]

    stage.wait_until(is_settled, what="the count of look-ups settles", every_s=12)
    return counts[-1]
