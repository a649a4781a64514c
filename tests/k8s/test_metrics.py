"""The component that shows each process's figures is in use as soon as the processes have any."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.k8s import images
from tests.k8s.cluster import Object, of_kind, pods
from tests.k8s.conftest import K8S, Render
from tests.k8s.network import Network
from tests.k8s.test_network import matrix
from tests.k8s.test_pod_security import complaints
from tests.k8s.test_rendering import VERSIONS, validate

COMPONENT = "../components/metrics"


@pytest.fixture
def with_metrics(render: Render, tmp_path: Path) -> list[Object]:
    """The production overlay with the component, also while the suite's own kustomization does without."""
    shutil.copytree(K8S, tmp_path / "k8s")
    suite = tmp_path / "k8s/suite/kustomization.yaml"
    kustomization = yaml.safe_load(suite.read_text())
    kustomization["components"] = [COMPONENT]
    suite.write_text(yaml.safe_dump(kustomization))
    return render(tmp_path / "k8s/overlays/production")


def test_it_is_in_use_if_the_processes_have_figures_to_show() -> None:
    kustomization = yaml.safe_load((K8S / "suite/kustomization.yaml").read_text())
    used = COMPONENT in kustomization.get("components", [])
    code = (images.ROOT / "libs/common/src").rglob("*.py")
    assert used == any("METRICS_PORT" in path.read_text() for path in code), (
        f"deploy/k8s/suite/kustomization.yaml: components: [{COMPONENT}], as soon as METRICS_PORT is served"
    )


def test_every_process_shows_its_figures_and_a_worker_is_alive_while_it_does(with_metrics: list[Object]) -> None:
    for pod in pods(with_metrics):
        if pod.is_ours and pod.kind == "Deployment":
            assert {"name": "metrics", "containerPort": 9464} in pod.main["ports"]
            is_worker = pod.main["args"][0] not in ("serve", "internal")
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                asked = pod.main[probe]["httpGet"]
                assert (asked["port"] == "metrics") == is_worker, pod.name
    assert complaints(with_metrics) == []
    monitor = of_kind(with_metrics, "PodMonitor")["loyalty"]
    for found in (monitor, of_kind(with_metrics, "Deployment")["programs-relay"]):
        validate(found, VERSIONS[0])


def test_only_prometheus_reads_them(with_metrics: list[Object]) -> None:
    network = Network(with_metrics)
    assert network.reached() == matrix(with_metrics)
    workers = {pod.name for pod in pods(with_metrics) if pod.is_ours and pod.kind == "Deployment"}
    readers = network.beyond("ingress")
    assert all("monitoring:9464" in readers[name] for name in workers)
