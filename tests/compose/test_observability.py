"""The profile ``observability``: Prometheus finds every process of the suite, takes the alerts, and the dashboard's
questions have answers. Grafana itself is not run: no test has its image."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
import yaml

from loyalty_testing.machine import free_port
from tests.compose.load import crediting, open_card

pytestmark = pytest.mark.timeout(600)

_T = TypeVar("_T")


class Prometheus:
    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **query: str) -> Any:
        answer = requests.get(f"{self._url}/{path}", params=query, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def health(self) -> dict[str, list[str]]:
        """Of the targets of each job."""
        found: dict[str, list[str]] = {}
        for target in self.get("targets", state="active")["activeTargets"]:
            found.setdefault(target["labels"]["job"], []).append(target["health"])
        return found


def wait_for(ask: Callable[[], _T], *, is_so: Callable[[_T], bool], timeout_s: float = 120) -> None:
    """Scrapes and evaluations come every 15 s."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            answer: Any = ask()
        except requests.RequestException as error:
            answer = error
        else:
            if is_so(answer):
                return
        assert time.monotonic() < deadline, answer
        time.sleep(1)


@pytest.fixture(scope="module")
def prometheus(stack: Any, image: Callable[..., str]) -> Iterator[Prometheus]:
    """With the process that checks the ledger, whose findings nobody else reads."""
    port = free_port()
    names = ["prometheus", "programs-check-ledger"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PROMETHEUS_IMAGE", image("prometheus", stack.default_image("prometheus")))
        environment.setenv("PROMETHEUS_LISTEN", f"127.0.0.1:{port}")
        observability = ["--profile", "observability"]
        stack.compose(*observability, "up", "--detach", "--no-deps", *names)
        yield Prometheus(port)
        stack.compose(*observability, "rm", "--stop", "--force", *names)


def jobs(stack: Any, root: Path) -> dict[str, int]:
    """How many of each kind of process there are, by the name that the alerts know."""
    configuration = yaml.safe_load((root / "deploy/observability/prometheus/prometheus.yml").read_text())
    names = configuration["scrape_configs"][0]["dns_sd_configs"][0]["names"]
    return {f"loyalty-{name}" if "-" in name else f"loyalty-{name}-serve": len(stack.ids(name)) for name in names}


def test_every_process_is_found_and_answers(stack: Any, prometheus: Prometheus, root: Path) -> None:
    numbers = jobs(stack, root)
    assert [job for job, number in numbers.items() if number == 0] == ["loyalty-gateway-forward-auth"]
    expected = {job: ["up"] * number for job, number in numbers.items() if number}
    wait_for(prometheus.health, is_so=lambda health: health == expected)


def test_the_alerts_are_loaded_and_evaluated(prometheus: Prometheus, root: Path) -> None:
    groups = yaml.safe_load((root / "deploy/observability/prometheus/rules.yaml").read_text())["groups"]
    expected = {(rule["alert"], "ok") for group in groups for rule in group["rules"]}

    def evaluated() -> set[tuple[str, str]]:
        groups = prometheus.get("rules")["groups"]
        return {(rule["name"], rule["health"]) for group in groups for rule in group["rules"]}

    wait_for(evaluated, is_so=lambda found: found == expected)


def test_the_dashboard_has_something_to_draw(stack: Any, prometheus: Prometheus, merchant: Any, root: Path) -> None:
    panels = json.loads((root / "deploy/observability/grafana/dashboards/loyalty.json").read_text())["panels"]
    queries = {t["expr"].replace("$__rate_interval", "1m"): p["title"] for p in panels for t in p["targets"]}

    def undrawn() -> set[str]:
        return {title for query, title in queries.items() if not prometheus.get("query", query=query)["result"]}

    # Nothing fails here, so that of what failed there is nothing to see.
    failures = {title for query, title in queries.items() if 'status=~"5' in query}
    with crediting(merchant.patient.insist, open_card(merchant)):
        wait_for(undrawn, is_so=lambda titles: titles <= failures)


def test_a_kind_of_process_of_which_none_is_left_is_noticed(stack: Any, prometheus: Prometheus) -> None:
    def missing() -> list[str]:
        alerts = prometheus.get("alerts")["alerts"]
        return [one["labels"]["job"] for one in alerts if one["labels"]["alertname"] == "LoyaltyProcessMissing"]

    stack.compose("stop", "vouchers-relay")
    try:
        wait_for(missing, is_so=lambda jobs: jobs == ["loyalty-vouchers-relay"])
    finally:
        stack.compose("start", "vouchers-relay")
    wait_for(missing, is_so=lambda jobs: jobs == [])
