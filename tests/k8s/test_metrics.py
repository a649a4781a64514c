"""Each process shows its figures, Prometheus finds and reads them, and a worker is alive while it shows them."""

from __future__ import annotations

import re

from tests.k8s import images
from tests.k8s.cluster import LISTENERS, Object, Pod, of_kind, pods
from tests.k8s.test_processes import within

PORT = 9464


def kept_running(objects: list[Object]) -> list[Pod]:
    return [pod for pod in pods(objects) if pod.is_ours and pod.kind == "Deployment"]


def test_every_process_shows_its_figures_where_it_is_told_to(objects: list[Object]) -> None:
    for pod in kept_running(objects):
        assert {"name": "metrics", "containerPort": PORT} in pod.main["ports"]
        read, _ = images.settings(pod.service, pod.main["args"][0], within(objects, pod))
        assert getattr(read, "accounts", read).metrics_port == PORT, pod.name


def test_a_worker_is_alive_while_it_shows_its_figures(objects: list[Object]) -> None:
    for pod in kept_running(objects):
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = pod.main[probe]["httpGet"]
            assert (asked == {"path": "/metrics?name[]=python_info", "port": "metrics"}) == (
                pod.main["args"][0] not in LISTENERS
            ), pod.name


def test_prometheus_finds_the_pods_and_names_each_as_the_alerts_do(production: list[Object]) -> None:
    spec = of_kind(production, "PodMonitor")["loyalty"]["spec"]
    (endpoint,) = spec["podMetricsEndpoints"]
    (naming,) = endpoint["relabelings"]
    for pod in pods(production):
        has_port = any(port["name"] == endpoint["port"] for port in pod.main.get("ports", []))
        assert has_port == (pod in kept_running(production)), pod.name
        if has_port:
            assert spec["selector"]["matchLabels"].items() <= pod.labels.items()
            named = {f"__meta_kubernetes_pod_label_{re.sub('[./-]', '_', key)}": pod.labels[key] for key in pod.labels}
            job = naming["separator"].join(named[label] for label in naming["sourceLabels"])
            assert naming["replacement"].replace("$1", job) == f"loyalty-{pod.name}"
