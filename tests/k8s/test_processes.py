"""Each container starts what is in its image, with the environment that it needs, and is asked what it answers."""

from __future__ import annotations

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from loyalty_common.settings import SettingsError
from loyalty_local.keys import Keys
from loyalty_local.layout import DATABASES, Addresses, Layout
from tests.k8s import images
from tests.k8s.cluster import LISTENERS, OWNERS, SERVICES, Object, Objects, Pod, main_of, of_kind, pods, workload
from tests.k8s.conftest import K8S

# What nobody would read on one machine.
FOR_PROMETHEUS = {"programs-check-ledger": "check-ledger --every 86400"}


def ours(objects: Objects) -> list[Pod]:
    return [pod for pod in pods(objects) if pod.is_ours]


def new_secrets() -> Mapping[str, Mapping[str, str]]:
    made: Mapping[str, Mapping[str, str]] = runpy.run_path(str(K8S / "new_secrets.py"))["new_secrets"]()
    return made


def environment(objects: Objects, pod: Pod) -> dict[str, str]:
    """What the container is given, with new secrets. Operators write theirs under the same names and keys."""
    config, secrets = of_kind(objects, "ConfigMap"), new_secrets()
    seen = {}
    for source in pod.main["envFrom"]:
        seen |= config[source["configMapRef"]["name"]].get("data") or {}
    for variable in pod.main["env"]:
        reference = variable["valueFrom"]["secretKeyRef"]
        seen[variable["name"]] = secrets[reference["name"]][reference["key"]]
    return seen


def within(objects: Objects, pod: Pod) -> dict[str, str]:
    """What its process sees: what the image sets too."""
    return images.sets(pod.service) | environment(objects, pod)


def test_the_processes_are_those_of_the_suite_on_one_machine(objects: list[Object], tmp_path: Path) -> None:
    names = ["gateway-internal", *(f"{service}-serve" for service in SERVICES)]
    addresses = Addresses(dict.fromkeys(names, 8000))
    urls = dict.fromkeys(DATABASES, "postgresql://")
    layout = Layout(Keys.of(tmp_path / "keys.json"), addresses, urls, "amqp://broker", None, {})
    commands = [command for service in SERVICES for command in layout.commands(service)]
    there = {command.name: " ".join(command.arguments[3:]).removesuffix(" --every 600") for command in commands}
    here = {pod.name: " ".join(pod.main["args"]) for pod in ours(objects) if pod.kind != "Job"}
    assert here == there | FOR_PROMETHEUS
    jobs = of_kind(objects, "CronJob")
    assert set(jobs) == {f"{service}-job" for service in OWNERS}
    assert {(job["spec"]["schedule"], job["spec"]["concurrencyPolicy"]) for job in jobs.values()} == {
        ("*/10 * * * *", "Forbid")
    }


def test_each_container_starts_a_command_of_its_image(objects: list[Object]) -> None:
    for pod in ours(objects):
        image = pod.main["image"].rpartition(":")[0].rpartition("/")[2]
        assert image == pod.service, pod.name
        assert "command" not in pod.main, "the image's entry point is the service's command"
        assert images.entry_point(pod.service) == f"loyalty-{pod.service}"
        images.parse(pod.service, pod.main["args"])


def test_a_command_that_is_not_there_is_found(local: list[Object]) -> None:
    main_of(workload(local, "programs-relay"))["args"] = ["publish"]
    with pytest.raises(SystemExit):
        test_each_container_starts_a_command_of_its_image(local)


def test_each_process_accepts_its_environment(objects: list[Object]) -> None:
    for pod in ours(objects):
        images.settings(pod.service, pod.main["args"][0], within(objects, pod))


def test_a_variable_that_is_missing_is_found(local: list[Object]) -> None:
    main_of(workload(local, "vouchers-serve"))["env"].pop(0)
    with pytest.raises(SettingsError, match="EVENTS_URL is not set"):
        test_each_process_accepts_its_environment(local)


def test_no_variable_is_given_that_nothing_reads_and_no_secret_to_a_process_that_needs_none(
    objects: list[Object],
) -> None:
    read: dict[str, set[str]] = {service: set() for service in SERVICES}
    for pod in ours(objects):
        looked_up = images.settings(pod.service, pod.main["args"][0], within(objects, pod))[1]
        assert {variable["name"] for variable in pod.main["env"]} <= looked_up, pod.name
        read[pod.service] |= looked_up
    for pod in ours(objects):
        assert environment(objects, pod).keys() <= read[pod.service], pod.name


def test_a_variable_that_nothing_reads_is_found(local: list[Object]) -> None:
    surplus = {"name": "KEY_PEPPERS", "valueFrom": {"secretKeyRef": {"name": "gateway-keys", "key": "KEY_PEPPERS"}}}
    main_of(workload(local, "gateway-relay"))["env"].append(surplus)
    with pytest.raises(AssertionError, match="gateway-relay"):
        test_no_variable_is_given_that_nothing_reads_and_no_secret_to_a_process_that_needs_none(local)


def test_each_listener_listens_where_it_is_asked_and_answers_the_probes(objects: list[Object]) -> None:
    for pod in ours(objects):
        command = pod.main["args"][0]
        if command not in LISTENERS:
            continue
        settings, _ = images.settings(pod.service, command, within(objects, pod))
        ports = {port["name"]: port["containerPort"] for port in pod.main["ports"]}
        bound = settings.forward_auth_bind if command == "forward-auth" else settings.bind
        assert bound == f"0.0.0.0:{ports['http']}", pod.name
        probes = [pod.main[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
        assert [probe["port"] for probe in probes] == ["http"] * 3
        assert {probe["path"] for probe in probes} <= images.paths(pod.service, command, settings), pod.name


def test_a_probe_of_a_path_that_is_not_there_is_found(local: list[Object]) -> None:
    main_of(workload(local, "customers-serve"))["livenessProbe"]["httpGet"]["path"] = "/healthz"
    with pytest.raises(AssertionError, match="customers-serve"):
        test_each_listener_listens_where_it_is_asked_and_answers_the_probes(local)


def test_the_addresses_that_services_are_given_lead_to_listeners(objects: list[Object]) -> None:
    services = of_kind(objects, "Service")
    for data in (found.get("data") or {} for found in of_kind(objects, "ConfigMap").values()):
        for name, value in data.items():
            if name.endswith("_URL") and value.startswith("http:"):
                address = urlsplit(value)
                (offered,) = services[str(address.hostname)]["spec"]["ports"]
                assert offered["port"] == address.port
    for name, service in services.items():
        behind = [pod for pod in pods(objects) if service["spec"]["selector"].items() <= pod.labels.items()]
        offered = service["spec"]["ports"][0]["targetPort"]
        assert [offered in {port["name"] for port in pod.main["ports"]} for pod in behind] == [True], name


def test_what_is_stopped_has_the_time_to_drain(objects: list[Object]) -> None:
    for pod in ours(objects):
        if pod.kind == "Deployment":
            waits_s = pod.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            assert (waits_s > 0) == (pod.main["args"][0] in LISTENERS)
            # All processes drain for 25 s at most (docs/operations.md).
            assert pod.spec["terminationGracePeriodSeconds"] >= waits_s + 25 + 5


@pytest.mark.skipif(not (images.ROOT / "Dockerfile").exists(), reason="there is no Dockerfile yet")
@pytest.mark.parametrize("service", SERVICES)
def test_the_image_is_what_the_pods_take_it_for(production: list[Object], service: str) -> None:
    stage = images.dockerfile_stage(service)
    assert f'ENTRYPOINT ["loyalty-{service}"]' in stage
    exposed = {int(port) for ports in re.findall(r"^EXPOSE (.+)$", stage, re.MULTILINE) for port in ports.split()}
    for pod in ours(production):
        if pod.service == service:
            context = pod.spec["securityContext"]
            assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in stage
            assert {port["containerPort"] for port in pod.main.get("ports", [])} <= exposed
            assert {"name": "tmp", "mountPath": "/tmp"} in pod.main["volumeMounts"]
    assert images.sets(service)["HOME"] == "/tmp"
    for name, folder in images.sets(service).items():
        assert not name.endswith("_DIR") or re.search(rf"^COPY contracts/\S+ {folder}\b", stage, re.MULTILINE), name
