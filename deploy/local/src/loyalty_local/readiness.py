"""Waits until every listener says that it and what it needs are there."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping

_PAUSE_S = 0.05


class NotReady(Exception):
    """The text names who is not, and what it said."""


def wait_until_ready(ports: Mapping[str, int], *, timeout_s: float) -> None:
    """``ports`` of 127.0.0.1 by name."""
    deadline = time.monotonic() + timeout_s
    waiting = dict(ports)
    while waiting:
        answers = {name: _answer(port) for name, port in waiting.items()}
        waiting = {name: port for name, port in waiting.items() if answers[name] is not None}
        if waiting and time.monotonic() > deadline:
            raise NotReady("; ".join(f"{name} is not ready: {answers[name]}" for name in waiting))
        time.sleep(_PAUSE_S if waiting else 0)


def _answer(port: int) -> str | None:
    """None once it is ready, else what it says."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return None if response.status == http.client.OK else response.read(500).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
