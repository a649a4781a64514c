"""The overlays as kubectl renders them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from loyalty_testing.kubectl import Kubectl
from tests.k8s.cluster import Object

Render = Callable[[Path], list[Object]]
K8S = Path(__file__).parents[2] / "deploy/k8s"


@pytest.fixture(scope="session")
def render() -> Render:
    """The objects of a kustomization's folder, anew for each caller, who may spoil them."""
    kubectl = Kubectl.find()

    @cache
    def rendered(folder: Path) -> list[Object]:
        return list(yaml.load_all(kubectl.kustomize(folder), Loader=yaml.CSafeLoader))

    return lambda folder: copy.deepcopy(rendered(folder))


@pytest.fixture
def local(render: Render) -> list[Object]:
    return render(K8S / "overlays/local")


@pytest.fixture
def production(render: Render) -> list[Object]:
    return render(K8S / "overlays/production")


@pytest.fixture(params=["local", "production"])
def objects(request: pytest.FixtureRequest) -> list[Object]:
    """Of each overlay."""
    return request.getfixturevalue(request.param)
