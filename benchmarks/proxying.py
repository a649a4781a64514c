"""The gateway carrying a small answer, beside nginx and beside a plain Flask + requests proxy."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import stage, tools
from benchmarks.pace import Limit, Line, NotMeasured, Pace, Run
from loyalty_local.readiness import wait_until_ready
from loyalty_local.suite import Suite
from loyalty_testing.machine import ServerMissing, free_port
from loyalty_testing.redis import Redis

_CONNECTIONS = 16
_PER_MINUTE = 6_000_000
PATH = "/api/v1/customers/1042"
_ANSWER = (
    '{"data": {"id": 1042, "name": "Alex Rivera", "email": "alex@example.com", "phone": "+15555550123", '
    '"external_id": null, "metadata": {}, "created_at": "2026-05-16T10:00:00+00:00", '
    '"updated_at": "2026-05-16T10:00:00+00:00"}, "meta": {"request_id": "a1b2c3d4-e5f6-7890-1234-567890123456"}}'
)


@dataclass(frozen=True)
class Stage:
    """A suite of which only the gateway is up, before ``upstream``, which is nginx in the place of a service."""

    suite: Suite
    upstream: int
    authorization: str

    @property
    def gateway(self) -> int:
        return self.suite.layout.addresses.ports["gateway-serve"]

    @contextmanager
    def another(self, process: str, **settings: str) -> Iterator[int]:
        """A second process of the gateway, ``serve`` or ``forward-auth``."""
        port = free_port()
        bind = dict.fromkeys(("BIND", "FORWARD_AUTH_BIND"), f"127.0.0.1:{port}")
        command = self.suite.layout.command("gateway", process)
        with tools.running(command.arguments, {**command.environment, **bind, **settings}):
            wait_until_ready({process: port}, timeout_s=30)
            yield port


@contextmanager
def staged() -> Iterator[Stage]:
    port = free_port()
    upstream = f"server {{ listen 127.0.0.1:{port}; default_type application/json; return 200 '{_ANSWER}'; }}"
    with (
        tools.nginx(port, upstream),
        stage.suite_running(environment={"CUSTOMERS_URL": f"http://127.0.0.1:{port}"}) as suite,
    ):
        authorization = f"Bearer {stage.merchant_of(suite).api_key}"
        _lift_limits(suite, authorization)
        stage.stop_all_but(suite, "gateway-serve", "postgres")
        yield Stage(suite, port, authorization)


def _lift_limits(suite: Suite, authorization: str) -> None:
    """The limit is checked at every request, and must not be what is measured."""
    with stage.database(suite, "gateway") as accounts:
        accounts.execute("update plans set requests_per_minute = %s, burst = 100000", [_PER_MINUTE])

    def is_lifted() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", suite.layout.addresses.ports["gateway-serve"], timeout=10)
        connection.request("GET", PATH, headers={"Authorization": authorization})
        limit = connection.getresponse().headers["X-RateLimit-Limit"]
        connection.close()
        return limit == str(_PER_MINUTE)

    # Of a plan that changes nobody is told: gateways have it from the database again after five seconds at most.
    stage.wait_until(is_lifted, what="the gateway knows the new limits", every_s=0.2)


def through_the_gateway(pace: Pace) -> list[Line]:
    """One worker of each before the same upstream."""
    with staged() as at, _nginx(at.upstream) as through_nginx, _flask(at.suite) as through_flask:
        return pace.compare(
            "GET through the gateway, one worker",
            fetching(at.gateway, at.authorization),
            Limit("nginx", fetching(through_nginx, at.authorization), reach=0.065),
            Limit("Flask + requests", fetching(through_flask, at.authorization), reach=4),
        )


def with_limits_in_redis(pace: Pace) -> list[Line]:
    try:
        redis = Redis.open()
    except ServerMissing as missing:
        raise NotMeasured(str(missing)) from missing
    try:
        with staged() as at, at.another("serve", REDIS_URL=redis.url) as with_redis:
            return pace.compare(
                "GET through the gateway, limits in Redis",
                fetching(with_redis, at.authorization),
                Limit("limits in the process", fetching(at.gateway, at.authorization), reach=0.7),
            )
    finally:
        redis.close()


def fetching(port: int, authorization: str) -> Run:
    url, environment = f"http://127.0.0.1:{port}{PATH}", {"AUTHORIZATION": authorization}

    def run(seconds: float) -> float:
        return tools.wrk(url, "get.lua", connections=_CONNECTIONS, seconds=seconds, environment=environment).rate

    return run


@contextmanager
def _nginx(upstream: int) -> Iterator[int]:
    port = free_port()
    pool = f"upstream service {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}"
    carry = 'proxy_pass http://service/v1/; proxy_http_version 1.1; proxy_set_header Connection "";'
    locations = f"location = /readyz {{ return 200; }} location /api/v1/ {{ {carry} }}"
    with tools.nginx(port, f"{pool} server {{ listen 127.0.0.1:{port}; {locations} }}"):
        yield port


@contextmanager
def _flask(suite: Suite) -> Iterator[int]:
    port = free_port()
    options = f"--worker-class gthread --threads {_CONNECTIONS} --keep-alive 75 --bind 127.0.0.1:{port}"
    app = "benchmarks.flask_proxy:app()"
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", *options.split(), app]
    with tools.running(command, suite.layout.environment("gateway")):
        wait_until_ready({"flask": port}, timeout_s=30)
        yield port
