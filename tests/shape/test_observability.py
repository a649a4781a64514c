"""Alerts, their runbook and the dashboard know only what the processes show, and all of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/observability/prometheus"
GRAFANA = ROOT / "deploy/observability/grafana"
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not installed"
)
METRIC = re.compile(r"\bloyalty_[a-z_]+")
MADE = re.compile(r'(?:gauge|GaugeMetricFamily|Histogram)\(\s*"(loyalty_[a-z_]+)"')
HISTOGRAM = "loyalty_http_request_duration_seconds"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def shown() -> set[str]:
    """The metrics that the code makes."""
    sources = [*ROOT.glob("libs/common/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
    return {name for path in sources for name in MADE.findall(path.read_text())}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GRAFANA / "dashboards/loyalty.json").read_text())
    return found


def queries() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def used(expressions: list[str]) -> set[str]:
    metrics = {name for expression in expressions for name in METRIC.findall(expression)}
    return {HISTOGRAM if name.startswith(HISTOGRAM) else name for name in metrics}


def test_alerts_and_dashboard_use_metrics_that_exist_and_leave_none_out() -> None:
    on_dashboard = used(queries())
    in_alerts = used([rule["expr"] for rule in rules()])
    assert len(shown()) > 10
    assert in_alerts <= shown()
    assert on_dashboard | in_alerts == shown()


def test_the_runbook_has_an_entry_for_each_alert_and_for_no_other() -> None:
    runbook = (ROOT / "docs/operations.md").read_text()
    entries = re.findall(r"^### (Loyalty\w+)$", runbook, re.MULTILINE)
    assert entries == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_the_operator_is_given_the_same_rules_as_prometheus_itself() -> None:
    for_operator = yaml.safe_load((ROOT / "deploy/k8s/components/metrics/rules.yaml").read_text())
    assert for_operator["spec"] == yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())


def test_each_alert_is_seen_to_fire_and_not_to_fire() -> None:
    cases = yaml.safe_load((PROMETHEUS / "rules.test.yaml").read_text())["tests"]
    expected = [(case["alertname"], bool(case.get("exp_alerts"))) for test in cases for case in test["alert_rule_test"]]
    assert set(expected) == {(rule["alert"], fires) for rule in rules() for fires in (True, False)}


def promtool(*arguments: str) -> None:
    said = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


@needs_promtool
def test_promtool_sees_each_alert_do_so() -> None:
    promtool("test", "rules", "rules.test.yaml")


@needs_promtool
def test_prometheus_takes_its_configuration_and_the_rules_that_this_names() -> None:
    promtool("check", "config", "prometheus.yml")


@needs_promtool
def test_what_the_dashboard_asks_prometheus_understands(tmp_path: Path) -> None:
    asked = [{"record": "asked", "expr": query.replace("$__rate_interval", "5m")} for query in queries()]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": asked}]}))
    promtool("check", "rules", "--lint=none", str(tmp_path / "rules.yaml"))


def test_grafana_finds_the_dashboard_and_every_panel_asks_the_source_that_is_provisioned() -> None:
    """As far as can be told without Grafana, whose image no test has."""
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/loyalty.yaml").read_text())["providers"]
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./deploy/observability/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    (variable,) = dashboard()["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", source["type"])
    for panel in dashboard()["panels"]:
        assert panel["datasource"] == {"type": source["type"], "uid": f"${{{variable['name']}}}"}, panel["title"]


def test_no_panel_lies_on_another_and_all_are_told_apart() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken))
    assert all(x < 24 for x, _ in taken)
