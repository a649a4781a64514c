"""Every overlay renders to objects that a cluster accepts, and that name nothing which is not there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.k8s.cluster import OWNERS, SERVICES, Object, Objects, main_of, of_kind, pods, workload
from tests.k8s.conftest import K8S, Render
from tests.k8s.test_processes import new_secrets

# The oldest whose kubelet sleeps before a stop without a feature gate, and the newest.
VERSIONS = ("1.30", "1.37")
OVERLAYS = sorted(path.parent for path in (K8S / "overlays").glob("*/kustomization.yaml"))


@cache
def definitions() -> dict[str, Any]:
    schema: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "custom_resources.yaml").read_text())
    return schema


def is_custom(found: Object) -> bool:
    """By its group: Kubernetes' own have no dot or end in k8s.io."""
    group = found["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def validate(found: Object, version: str) -> None:
    """Raises the error of the schema, or ``KeyError`` for a kind that has none."""
    if not is_custom(found):
        kubernetes_validate.validate(found, version, strict=True)
        return
    schema = definitions()["$defs"][found["kind"]]
    assert found["apiVersion"] == schema["$comment"]
    assert found.keys() == {"apiVersion", "kind", "metadata", "spec"}
    jsonschema.validate(found["spec"], {**schema, "$defs": definitions()["$defs"]})


def test_the_overlays_are_those_that_the_tests_render() -> None:
    assert [overlay.name for overlay in OVERLAYS] == ["local", "production"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(local: list[Object], production: list[Object], version: str) -> None:
    for found in {json.dumps(found, sort_keys=True): found for found in local + production}.values():
        validate(found, version)


def test_a_field_that_is_not_there_is_found(local: list[Object], production: list[Object]) -> None:
    main_of(workload(local, "customers-serve"))["liveness"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(workload(local, "customers-serve"), VERSIONS[0])
    cluster = of_kind(production, "Cluster")["programs-db"]
    cluster["spec"]["replicas"] = 3
    with pytest.raises(jsonschema.ValidationError):
        validate(cluster, VERSIONS[0])


def test_all_is_in_one_namespace_and_no_name_is_given_twice(objects: list[Object]) -> None:
    names = [(found["kind"], found["metadata"]["name"]) for found in objects]
    assert len(names) == len(set(names))
    assert {found["metadata"].get("namespace") for found in objects if found["kind"] != "Namespace"} == {"loyalty"}


def unresolved(objects: Objects) -> set[str]:
    """References to ConfigMaps, Secrets and workloads that nobody makes."""
    made = {f"ConfigMap {name}" for name in of_kind(objects, "ConfigMap")}
    if of_kind(objects, "ExternalSecret"):
        made |= {f"Secret {name}" for name in of_kind(objects, "ExternalSecret")}
        made |= {f"Secret {name}-app" for name in of_kind(objects, "Cluster")}  # CloudNativePG's
        made |= {f"Secret {name}-default-user" for name in of_kind(objects, "RabbitmqCluster")}  # its operator's
    else:
        made |= {f"Secret {name}" for name in new_secrets()}
    made |= {f"Deployment {name}" for name in of_kind(objects, "Deployment")}
    made |= {f"TriggerAuthentication {name}" for name in of_kind(objects, "TriggerAuthentication")}
    return {reference for found in objects for reference in _references(found)} - made


def _references(found: Any, *, of: str = "") -> Iterator[str]:
    kinds = {
        "configMapRef": "ConfigMap",
        "configMap": "ConfigMap",
        "secretKeyRef": "Secret",
        "secret": "Secret",
        "secretTargetRef": "Secret",
        "scaleTargetRef": "Deployment",
        "authenticationRef": "TriggerAuthentication",
    }
    if isinstance(found, dict):
        if of in kinds and "name" in found:
            yield f"{kinds[of]} {found['name']}"
        for key, value in found.items():
            yield from _references(value, of=key)
    if isinstance(found, list):
        for item in found:
            yield from _references(item, of=of)


def test_what_is_referred_to_is_there(objects: list[Object]) -> None:
    assert unresolved(objects) == set()


def test_every_secret_that_is_made_is_read_and_the_store_holds_those_that_no_operator_makes(
    local: list[Object], production: list[Object]
) -> None:
    made = new_secrets()
    assert {name for name in _references(local) if name.startswith("Secret ")} == {f"Secret {name}" for name in made}
    by_operators = {name for name in made if name.endswith("-db-app")} | {"rabbitmq-default-user"}
    # CloudNativePG's servers have passwords of their own.
    assert set(of_kind(production, "ExternalSecret")) == set(made) - by_operators - {"postgres"}


def test_no_two_services_share_a_key() -> None:
    entries = [value for name, found in new_secrets().items() if name.endswith("-keys") for value in found.values()]
    assert len(set(entries)) == len(entries)


def test_a_reference_to_nothing_is_found(production: list[Object]) -> None:
    main_of(workload(production, "gateway-serve"))["env"][0]["valueFrom"]["secretKeyRef"]["name"] = "peppers"
    of_kind(production, "HorizontalPodAutoscaler")["vouchers-serve"]["spec"]["scaleTargetRef"]["name"] = "vouchers"
    assert unresolved(production) == {"Secret peppers", "Deployment vouchers"}


def test_no_secret_is_in_a_file_of_the_repository(objects: list[Object]) -> None:
    assert of_kind(objects, "Secret") == {}


@pytest.mark.parametrize("service", SERVICES)
def test_releasing_one_service_changes_one_line(render: Render, tmp_path: Path, service: str) -> None:
    shutil.copytree(K8S, tmp_path / "k8s")
    overlay = tmp_path / "k8s/overlays/production"
    releases = overlay / "releases/kustomization.yaml"
    changed, lines = re.subn(rf"(?m)^(.*loyalty/{service}, .*newTag: ).*$", r"\g<1>1.0.1}", releases.read_text())
    assert lines == 1
    releases.write_text(changed)
    before, after = (
        {(found["kind"], found["metadata"]["name"]): found for found in render(folder)}
        for folder in (K8S / "overlays/production", overlay)
    )
    touched = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    of_service = {
        (pod.kind, pod.name) for pod in pods(list(after.values())) if pod.labels["app.kubernetes.io/name"] == service
    }
    # A job cannot be changed: that of the new release is another one.
    migrations = [("Job", f"{service}-migrate-{release}") for release in ("1.0.0", "1.0.1") if service in OWNERS]
    assert touched == of_service | set(migrations)
    assert of_service.issuperset(migrations[1:])


def test_in_production_each_listener_is_scaled_spread_and_kept(production: list[Object]) -> None:
    scaled, kept = (of_kind(production, kind) for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"))
    scaled_by_queue = of_kind(production, "ScaledObject")
    for name, found in of_kind(production, "Deployment").items():
        replicas = found["spec"].get("replicas")
        if name.endswith("-serve"):
            assert scaled[name]["spec"]["minReplicas"] >= 2
            assert kept[name]["spec"]["selector"] == found["spec"]["selector"]
            spread = found["spec"]["template"]["spec"]["topologySpreadConstraints"]
            assert [rule["labelSelector"] for rule in spread] == [found["spec"]["selector"]] * 2
        if name in scaled or name in scaled_by_queue:
            assert replicas is None, "whoever scales it decides, not the next apply"
    assert set(scaled_by_queue) == {
        name for name in of_kind(production, "Deployment") if re.search("consume|deliver", name)
    }


def test_while_redis_is_away_the_gateways_that_always_run_divide_the_limits(production: list[Object]) -> None:
    scaled, deployments = (of_kind(production, kind) for kind in ("HorizontalPodAutoscaler", "Deployment"))
    (config,) = (found for name, found in of_kind(production, "ConfigMap").items() if name.startswith("gateway-"))
    parts = int(config["data"]["REPLICAS"])
    assert scaled["gateway-serve"]["spec"]["minReplicas"] == parts
    assert deployments["gateway-internal"]["spec"]["replicas"] == parts


def test_in_production_there_are_three_of_each_server(production: list[Object]) -> None:
    assert of_kind(production, "RabbitmqCluster")["rabbitmq"]["spec"]["replicas"] == 3
    clusters = of_kind(production, "Cluster")
    assert set(clusters) == {f"{service}-db" for service in OWNERS}
    assert {cluster["spec"]["instances"] for cluster in clusters.values()} == {3}
