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
DEPLOYED = ROOT / "deploy/observability"
METRIC = re.compile(r"\bloyalty_[a-z_]+")
MADE = re.compile(r'(?:gauge|GaugeMetricFamily|Histogram)\(\s*"(loyalty_[a-z_]+)"')
HISTOGRAM = "loyalty_http_request_duration_seconds"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOYED / "rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def shown() -> set[str]:
    """The metrics that the code makes."""
    sources = [*ROOT.glob("libs/common/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
    return {name for path in sources for name in MADE.findall(path.read_text())}


def used(expressions: list[str]) -> set[str]:
    metrics = {name for expression in expressions for name in METRIC.findall(expression)}
    return {HISTOGRAM if name.startswith(HISTOGRAM) else name for name in metrics}


def test_alerts_and_dashboard_use_metrics_that_exist_and_leave_none_out() -> None:
    dashboard = json.loads((DEPLOYED / "dashboard.json").read_text())
    on_dashboard = used([target["expr"] for panel in dashboard["panels"] for target in panel["targets"]])
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
    for_operator = yaml.safe_load((DEPLOYED / "prometheusrule.yaml").read_text())
    assert for_operator["spec"] == yaml.safe_load((DEPLOYED / "rules.yaml").read_text())


def test_each_alert_is_seen_to_fire_and_not_to_fire() -> None:
    cases = yaml.safe_load((DEPLOYED / "rules.test.yaml").read_text())["tests"]
    expected = [(case["alertname"], bool(case.get("exp_alerts"))) for test in cases for case in test["alert_rule_test"]]
    assert set(expected) == {(rule["alert"], fires) for rule in rules() for fires in (True, False)}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not installed")
def test_promtool_agrees() -> None:
    said = subprocess.run(
        ["promtool", "test", "rules", "rules.test.yaml"], cwd=DEPLOYED, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr
