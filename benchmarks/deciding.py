"""Only deciding: nginx carries the bytes and asks the gateway, beside nginx that asks for a constant 204."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import tools
from benchmarks.pace import Limit, Line, Pace
from benchmarks.proxying import fetching, staged
from loyalty_testing.machine import free_port

_CONFIGURATION = Path(__file__).parents[1] / "deploy" / "forward-auth" / "nginx"


def for_nginx(pace: Pace) -> list[Line]:
    """The configuration of deploy/forward-auth for both; only who is asked differs."""
    with (
        staged() as at,
        at.another("forward-auth") as decision,
        _constant() as constant,
        _nginx(decision, at.upstream) as decided,
        _nginx(constant, at.upstream) as waved_through,
    ):
        return pace.compare(
            "GET through nginx, decided by the gateway, one worker",
            fetching(decided, at.authorization),
            Limit("nginx, decided by a constant", fetching(waved_through, at.authorization), reach=0.2),
        )


@contextmanager
def _constant() -> Iterator[int]:
    port = free_port()
    path = "add_header X-Loyalty-Service customers; add_header X-Loyalty-Path /v1/customers/1042;"
    locations = f"location = /readyz {{ return 200; }} location / {{ {path} return 204; }}"
    with tools.nginx(port, f"server {{ listen 127.0.0.1:{port}; {locations} }}"):
        yield port


@contextmanager
def _nginx(decision: int, service: int) -> Iterator[int]:
    port = free_port()
    upstreams = re.sub(
        r"upstream (\w+) \{ server [^;]+;",
        lambda found: f"upstream {found[1]} {{ server 127.0.0.1:{decision if 'decision' in found[1] else service};",
        (_CONFIGURATION / "upstreams.conf").read_text(),
    )
    server = (_CONFIGURATION / "loyalty.conf").read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    ready = "location = /readyz { return 200; } location = /_authz"
    with tools.nginx(port, upstreams + server.replace("location = /_authz", ready)):
        yield port
