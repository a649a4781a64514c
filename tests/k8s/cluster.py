"""What a rendered overlay consists of, as the tests ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Objects = Sequence[Object]
# Those that keep something, and the dashboard, which has neither database nor job nor migration.
OWNERS = ("gateway", "customers", "programs", "vouchers", "webhooks")
SERVICES = (*OWNERS, "dashboard")
# Processes that answer HTTP, and so say themselves whether they are well.
LISTENERS = ("serve", "internal", "forward-auth")
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


@dataclass(frozen=True)
class Pod:
    """The template of a workload's pods; ``name`` is the workload's."""

    kind: str
    name: str
    labels: Mapping[str, str]
    spec: Object

    @property
    def service(self) -> str:
        return self.labels[NAME]

    @property
    def is_ours(self) -> bool:
        return self.service in SERVICES

    @property
    def main(self) -> Object:
        """The container that matters; others have none beside it."""
        (container,) = self.spec["containers"]
        return container


def pods(objects: Objects) -> list[Pod]:
    return list(_pods(objects))


def _pods(objects: Objects) -> Iterator[Pod]:
    for found in objects:
        spec = found.get("spec", {})
        if found["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if found["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob", "DaemonSet"):
            labels = spec["template"]["metadata"]["labels"]
            yield Pod(found["kind"], found["metadata"]["name"], labels, spec["template"]["spec"])


def of_kind(objects: Objects, *kinds: str) -> dict[str, Object]:
    """By name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] in kinds}


def workload(objects: Objects, name: str) -> Object:
    """The first one of that name, for tests that seed a fault in it."""
    return of_kind(objects, "Deployment", "StatefulSet", "CronJob")[name]


def main_of(found: Object) -> Object:
    """The container of a Deployment, for tests that seed a fault in it."""
    container: Object = found["spec"]["template"]["spec"]["containers"][0]
    return container
