"""What an overlay adds whose proxy carries the bytes itself: the process that decides, and the ways of the proxy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.k8s import test_processes as processes
from tests.k8s import test_rendering as rendering
from tests.k8s.cluster import OWNERS, Object, of_kind, pods
from tests.k8s.conftest import K8S, Render
from tests.k8s.network import Network
from tests.k8s.test_network import matrix
from tests.k8s.test_pod_security import complaints

NAME = "gateway-forward-auth"


@pytest.fixture
def behind_a_proxy(render: Render, tmp_path: Path) -> list[Object]:
    """The production overlay with one more resource."""
    shutil.copytree(K8S, tmp_path / "k8s")
    overlay = tmp_path / "k8s/overlays/production/kustomization.yaml"
    kustomization = yaml.safe_load(overlay.read_text())
    kustomization["resources"].append("../../forward-auth")
    overlay.write_text(yaml.safe_dump(kustomization))
    return render(overlay.parent)


def test_it_is_valid_and_restricted_and_refers_to_nothing_that_is_not_there(behind_a_proxy: list[Object]) -> None:
    for version in rendering.VERSIONS:
        for found in behind_a_proxy:
            rendering.validate(found, version)
    assert complaints(behind_a_proxy) == []
    assert rendering.unresolved(behind_a_proxy) == set()
    rendering.test_all_is_in_one_namespace_and_no_name_is_given_twice(behind_a_proxy)


def test_it_starts_what_is_in_the_image_of_the_gateways_release(
    behind_a_proxy: list[Object], production: list[Object]
) -> None:
    images = {pod.name: pod.main["image"] for pod in pods(behind_a_proxy)}
    assert images[NAME] == images["gateway-serve"]
    processes.test_each_container_starts_a_command_of_its_image(behind_a_proxy)
    processes.test_each_process_accepts_its_environment(behind_a_proxy)
    processes.test_each_listener_listens_where_it_is_asked_and_answers_the_probes(behind_a_proxy)
    processes.test_the_addresses_that_services_are_given_lead_to_listeners(behind_a_proxy)
    processes.test_what_is_stopped_has_the_time_to_drain(behind_a_proxy)
    processes.test_the_image_is_what_the_pods_take_it_for(behind_a_proxy, "gateway")
    # Nothing else changes.
    assert [found for found in production if found not in behind_a_proxy] == []


def test_it_is_scaled_spread_and_kept_as_the_door_is(behind_a_proxy: list[Object]) -> None:
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
        mine, door = (of_kind(behind_a_proxy, kind)[name]["spec"] for name in (NAME, "gateway-serve"))
        assert mine.keys() == door.keys()
    deployment = of_kind(behind_a_proxy, "Deployment")[NAME]["spec"]
    assert "replicas" not in deployment
    for rule in deployment["template"]["spec"]["topologySpreadConstraints"]:
        assert rule["labelSelector"] == deployment["selector"]


def test_the_proxy_reaches_the_listeners_and_the_decision_its_database_and_redis(
    behind_a_proxy: list[Object], production: list[Object]
) -> None:
    network = Network(behind_a_proxy)
    assert network.reached() == matrix(production) | {f"{NAME} -> gateway-db:5432", f"{NAME} -> redis:6379"}
    assert network.one_sided() == set()
    inside = network.beyond("ingress")
    from_proxy = {name: ways for name, ways in inside.items() if any(way.startswith("proxy:") for way in ways)}
    listeners = {f"{service}-serve" for service in OWNERS} | {"gateway-internal"}
    assert from_proxy.keys() == listeners | {NAME}
    assert from_proxy[NAME] == {"proxy:8002", "monitoring:9464"}
