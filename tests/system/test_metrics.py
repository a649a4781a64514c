"""Processes that answer nobody else show their figures: on Kubernetes they are restarted when they do not."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from typing import Any

import requests

from loyalty_local.layout import SERVICES
from loyalty_testing.machine import free_port

LISTENERS = ("serve", "internal")


def scrape(process: subprocess.Popen[bytes], port: int, query: str = "") -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            return requests.get(f"http://127.0.0.1:{port}/metrics{query}", timeout=10).text
        except requests.ConnectionError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_every_worker_shows_its_figures_where_it_is_told_to(broker_suite: Any) -> None:
    commands = [command for service in SERVICES for command in broker_suite.layout.commands(service)]
    commands.append(broker_suite.layout.command("programs", "check-ledger", "--every", "86400"))
    workers = [command for command in commands if command.arguments[3] not in LISTENERS]
    ports = {command.name: free_port() for command in workers}
    # Beside those of the suite: more than one of each may run.
    processes = {
        command.name: replace(
            command, environment={**command.environment, "METRICS_PORT": str(ports[command.name]), "LOG_LEVEL": "error"}
        ).popen(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in workers
    }
    try:
        for name, process in processes.items():
            # The ledger has no figures before it was first checked.
            expected = "python_info" if name == "programs-check-ledger" else "loyalty_database_pool_size"
            assert expected in scrape(process, ports[name]), name
            # As the probes ask, of which none may wait for a database.
            assert "loyalty_" not in scrape(process, ports[name], "?name[]=python_info"), name
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(30)
