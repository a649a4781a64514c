"""Every pod keeps to the restricted profile of the Pod Security Standards, and to what is stricter here.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, rule by rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.k8s.cluster import Object, Objects, Pod, main_of, of_kind, pods, workload

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
HOST = ("hostNetwork", "hostPID", "hostIPC")


def complaints(objects: Objects) -> list[str]:
    return [f"{pod.name}: {fault}" for pod in pods(objects) for fault in _faults(pod)]


def _faults(pod: Pod) -> Iterator[str]:
    yield from (f"uses the node's own: {name}" for name in HOST if pod.spec.get(name))
    for volume in pod.spec.get("volumes", []):
        yield from (f"volume of kind {kind}" for kind in volume.keys() - VOLUMES - {"name"})
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "is given a token for the API server"
    for container in [*pod.spec["containers"], *pod.spec.get("initContainers", [])]:
        yield from _container_faults(pod, container)


def _container_faults(pod: Pod, container: Object) -> Iterator[str]:
    of_pod = pod.spec.get("securityContext", {})
    own = container.get("securityContext", {})
    both = of_pod | own
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") in (None, 0):
        yield "may run as root"
    if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "any system call is open to it"
    if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
        yield "may gain privileges"
    if own.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps capabilities"
    if set(own.get("capabilities", {}).get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "is given capabilities"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "takes a port of the node"
    if pod.is_ours and own.get("readOnlyRootFilesystem") is not True:
        yield "may write to its image"
    if "memory" not in container.get("resources", {}).get("limits", {}) or "requests" not in container["resources"]:
        yield "may take all memory, or says nothing of what it needs"


def test_every_pod_keeps_to_the_restricted_profile(objects: list[Object]) -> None:
    assert complaints(objects) == []


def test_the_namespace_refuses_any_that_does_not(objects: list[Object]) -> None:
    (namespace,) = of_kind(objects, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_account_of_a_service_is_given_a_token_or_rights(objects: list[Object]) -> None:
    accounts = of_kind(objects, "ServiceAccount")
    assert all(account["automountServiceAccountToken"] is False for account in accounts.values())
    assert {pod.spec["serviceAccountName"] for pod in pods(objects) if pod.is_ours} == set(accounts)
    assert of_kind(objects, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding") == {}


def spec_of(deployment: Object) -> Object:
    spec: Object = deployment["spec"]["template"]["spec"]
    return spec


SEEDED: list[tuple[str, Callable[[Object], object]]] = [
    ("uses the node's own: hostNetwork", lambda found: spec_of(found).update(hostNetwork=True)),
    ("volume of kind hostPath", lambda found: spec_of(found)["volumes"].append({"name": "x", "hostPath": {}})),
    ("is given a token", lambda found: spec_of(found).pop("automountServiceAccountToken")),
    ("may run as root", lambda found: spec_of(found)["securityContext"].pop("runAsNonRoot")),
    ("may run as root", lambda found: main_of(found)["securityContext"].update(runAsUser=0)),
    ("any system call", lambda found: spec_of(found)["securityContext"].pop("seccompProfile")),
    ("may gain privileges", lambda found: main_of(found)["securityContext"].update(privileged=True)),
    ("may gain privileges", lambda found: main_of(found)["securityContext"].pop("allowPrivilegeEscalation")),
    ("keeps capabilities", lambda found: main_of(found)["securityContext"].pop("capabilities")),
    ("is given capab", lambda found: main_of(found)["securityContext"]["capabilities"].update(add=["SYS_ADMIN"])),
    ("takes a port", lambda found: main_of(found)["ports"][0].update(hostPort=80)),
    ("may write to its image", lambda found: main_of(found)["securityContext"].pop("readOnlyRootFilesystem")),
    ("may take all memory", lambda found: main_of(found)["resources"].pop("limits")),
]


@pytest.mark.parametrize(("fault", "seed"), SEEDED)
def test_a_seeded_fault_is_found(local: list[Object], fault: str, seed: Callable[[Object], object]) -> None:
    seed(workload(local, "programs-serve"))
    (complaint,) = complaints(local)
    assert complaint.startswith(f"programs-serve: {fault}")
