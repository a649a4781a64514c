"""``loyalty-webhooks listen``: an integrator's program hears of events that no server could send it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loyalty_testing.receiver import Receiver

Listen = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def listen(suite: Any, receiver: Receiver) -> Iterator[Listen]:
    """Starts the command with a key; it is stopped at the end, and must end well."""
    started: list[subprocess.Popen[str]] = []

    def start(api_key: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-m", "loyalty_webhooks", "listen", "--forward-to", receiver.url, *options]
        environment = {"PATH": os.environ["PATH"], "LOYALTY_URL": suite.base_url, "LOYALTY_API_KEY": api_key}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0


def secret_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return next(line.strip() for line in process.stdout if line.strip().startswith("whsec_"))


def test_a_local_program_hears_signed_of_what_happens_from_now_on(
    merchant: Any, listen: Listen, receiver: Receiver
) -> None:
    merchant.api.data("POST", "/customers", {"email": "before@example.com"})
    secret = secret_of(listen(merchant.live_key))
    merchant.api.data("POST", "/customers", {"email": "after@example.com"})
    received = receiver.wait_for(lambda received: len(received) == 1)
    assert received[0].is_signed_with(secret)
    assert received[0].envelope["event"] == "customer.created"


def test_a_key_that_does_not_open_the_log_is_told_so(suite: Any, receiver: Receiver) -> None:
    command = [sys.executable, "-m", "loyalty_webhooks", "listen", "--forward-to", receiver.url]
    environment = {"PATH": os.environ["PATH"], "LOYALTY_URL": suite.base_url, "LOYALTY_API_KEY": "lpk_live_wrong"}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 1
    assert process.stderr.strip() == "The API key is missing or not valid."
