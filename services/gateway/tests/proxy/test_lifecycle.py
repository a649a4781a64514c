"""How the public listener starts, what it writes, and how it ends."""

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor


def test_it_refuses_to_start_without_its_settings_and_names_them_all(environment):
    done = subprocess.run(
        [sys.executable, "-m", "loyalty_gateway", "serve"],
        env={**environment, "KEY_PEPPERS": "{}", "PROGRAMS_URL": "programs:80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    for name in (
        "PUBLIC_BASE_URL",
        "OPENAPI_DIR",
        "KEY_PEPPERS",
        "PROGRAMS_URL",
        "VOUCHERS_URL",
        "IDENTITY_PRIVATE_KEY",
    ):
        assert name in done.stderr


def test_every_line_that_it_writes_is_json(start_gateway, upstream, demo_key):
    gateway = start_gateway(PROGRAMS_URL=upstream.url)
    gateway.ask("GET", "/api/v1/loyalty-cards", key=demo_key)
    gateway.ask("GET", "/livez")
    gateway.say(b"nonsense\r\n\r\n")
    lines = [json.loads(line) for line in gateway.log().splitlines()]
    assert {"request", "request_unreadable"} <= {line["event"] for line in lines}
    assert {line["service"] for line in lines} == {"gateway"}


def test_on_sigterm_what_is_under_way_is_finished(start_gateway, upstream, demo_key, until):
    gateway, gate = start_gateway(PROGRAMS_URL=upstream.url), threading.Event()

    def behave(handler):
        assert gate.wait(10)
        upstream.reply(handler, 200, b"{}")

    upstream.behave = behave
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(gateway.ask, "GET", "/api/v1/stamp-cards", key=demo_key)
        until(lambda: len(upstream.received) == 1)
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: not accepts(gateway))
        gate.set()
        assert answer.result().status == 200
    assert gateway.process.wait(20) == 0


def accepts(gateway):
    try:
        gateway.connect().close()
    except OSError:
        return False
    return True
