"""Two instances of each service, restarted one after the other under a steady load: no client sees a 5xx."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from loyalty_testing.integrator import Integrator
from loyalty_testing.machine import free_port
from loyalty_testing.soak import SOAKING

pytestmark = [pytest.mark.faults, pytest.mark.soak, pytest.mark.timeout(3600 if SOAKING else 300)]

SERVICES = ("customers", "programs", "vouchers", "webhooks") if SOAKING else ("programs",)
REQUESTS = 10_000 if SOAKING else 300
MEMBERS = 40
TILLS, READERS = 4, 3
# What the gateway may leave an instance alone for that has come back (services/gateway/README.md).
RECOVERY_S = 2.5

LEDGERS = """
    select sum(t.points_delta), count(*), count(distinct t.reference)
    from points_transactions t join enrollments e on e.tenant_id = t.tenant_id and e.id = t.enrollment_id
    where e.loyalty_card_id = %s
"""
BALANCES = "select sum(points_balance) from enrollments where loyalty_card_id = %s"


class Instance:
    """A process beside the suite's own, on a port of its own."""

    def __init__(self, command: Any, *, log: Path, **environment: str) -> None:
        port = free_port()
        environment = {**command.environment, **environment, "BIND": f"127.0.0.1:{port}"}
        self._command = replace(command, environment=environment)
        self._log = log
        self.url = f"http://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process: subprocess.Popen[bytes] = self._command.popen(stdout=log, stderr=log)

    def end(self, ending: signal.Signals) -> None:
        # As the system does it: SIGTERM to the process, SIGKILL to its workers too.
        (os.killpg if ending == signal.SIGKILL else os.kill)(self._process.pid, ending)
        self._process.wait(60)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 60
        while not self._is_ready():
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.RequestException:
            return False


@dataclass
class Load:
    """What clients were answered until ``over``: tills repeat what failed, readers do not."""

    api: Integrator
    card_id: int
    over: threading.Event = field(default_factory=threading.Event)
    posted: Counter[int] = field(default_factory=Counter)
    read: Counter[int] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def credit(self) -> None:
        while not self.over.is_set():
            number = next(self._numbers)
            sent = {"customer_email": f"m{number % MEMBERS}@example.com", "points": 1, "reference": f"POS-{number}"}
            answer = self.api.insist(f"/loyalty-cards/{self.card_id}/transactions", sent)
            self.posted[answer.status_code] += 1

    def look(self) -> None:
        paths = itertools.cycle([f"/loyalty-cards/{self.card_id}", "/customers?per_page=5"])
        while not self.over.wait(0.01):
            self.read[self.api.call("GET", next(paths)).status_code] += 1


@pytest.fixture(scope="module")
def doubled(start_suite: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A suite, two more instances of each service, and a gateway that knows of these alone."""
    suite, logs = start_suite(), tmp_path_factory.mktemp("instances")
    with ExitStack() as running:

        def instance(service: str, name: str, **environment: str) -> Instance:
            made = Instance(suite.layout.command(service, "serve"), log=logs / name, **environment)
            running.callback(made.end, signal.SIGKILL)
            return made

        pairs = {service: [instance(service, f"{service}-{side}") for side in "ab"] for service in SERVICES}
        urls = {f"{service.upper()}_URL": ",".join(one.url for one in pair) for service, pair in pairs.items()}
        gateway = instance("gateway", "gateway", **urls)
        for one in [gateway, *itertools.chain(*pairs.values())]:
            one.wait_ready()
        yield suite, pairs, gateway
    suite.stop()


@contextmanager
def under_load(api: Integrator, card_id: int) -> Iterator[Load]:
    """A load until the block ends, and longer if it was too short."""
    load = Load(api, card_id)
    with ThreadPoolExecutor(TILLS + READERS) as clients:
        calls = [clients.submit(load.credit) for _ in range(TILLS)] + [
            clients.submit(load.look) for _ in range(READERS)
        ]
        try:
            yield load
            while load.posted.total() + load.read.total() < REQUESTS:
                assert not any(call.done() for call in calls), [call.exception() for call in calls if call.done()]
                time.sleep(0.05)
        finally:
            load.over.set()
        for call in calls:
            call.result()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_services_restart_one_instance_after_the_other_and_nobody_notices(
    doubled: Any, found_merchant: Any, ending: signal.Signals
) -> None:
    suite, pairs, gateway = doubled
    merchant = found_merchant(suite)
    api = Integrator(f"{gateway.url}/api/v1", merchant.live_key)
    card = {"name": "Points", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
    card_id = api.data("POST", "/loyalty-cards", card)["id"]
    for number in range(MEMBERS):
        api.data("POST", "/customers", {"email": f"m{number}@example.com"})

    with under_load(api, card_id) as load:
        for instance in itertools.chain(*pairs.values()):
            instance.end(ending)
            instance.start()
            instance.wait_ready()
            time.sleep(RECOVERY_S)

    assert load.posted.keys() == {201}
    if ending == signal.SIGTERM:
        assert load.read.keys() == {200}
    credited = load.posted[201]
    with psycopg.connect(suite.layout.database_urls["programs"]) as database:
        assert database.execute(LEDGERS, [card_id]).fetchone() == (credited, credited, credited)
        assert database.execute(BALANCES, [card_id]).fetchone() == (credited,)
    print(f"{ending.name}: {credited} credits, {load.read.total()} reads ({dict(load.read)})")  # noqa: T201
