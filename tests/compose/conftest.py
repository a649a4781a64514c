"""The suite in containers, on the engine that answers; its own organizations, and receivers on the engine's machine."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from loyalty_local.containers import ROOT, Containers
from loyalty_local.docker import run
from loyalty_testing.integrator import Integrator
from loyalty_testing.machine import free_port
from loyalty_testing.receiver import Receiver, receiving
from loyalty_testing.runners import docker_answers

_PATIENCE_S = 120


class PatientIntegrator(Integrator):
    """Waits out what the reference tells integrators to wait out, with the same Idempotency-Key every time."""

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, timeout_s: float = 30, **options: Any
    ) -> requests.Response:
        key = key or (str(uuid.uuid4()) if method == "POST" else None)
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                response = super().call(method, path, body, key=key, timeout_s=timeout_s, **options)
                if response.status_code < 500 or time.monotonic() > deadline:
                    return response
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)


@dataclass(frozen=True)
class Merchant:
    partner_location_id: int
    key: str
    api: Integrator
    """Asks once."""
    patient: PatientIntegrator


class Stack(Containers):
    """A suite of the tests' own, with the questions that they ask it."""

    def state(self, container: str) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(run("docker", "inspect", container))[0]
        return state

    def query(self, database: str, statement: str) -> list[str]:
        """The rows of a SELECT as psql prints them without alignment."""
        ask = ["psql", "--username", "postgres", "--dbname", database, "--no-align", "--tuples-only", "--command"]
        return self.execute("postgres", *ask, statement).splitlines()

    def default_image(self, process: str) -> str:
        """Of docker-compose.yml, which a variable of its name takes the place of."""
        written = (ROOT / "docker-compose.yml").read_text()
        [found] = set(re.findall(rf"\$\{{{process.upper()}_IMAGE:-([^}}]+)\}}", written))
        return found

    def gateway(self, *command: str) -> Any:
        return json.loads(self.execute("gateway", "loyalty-gateway", *command))


def _host() -> str:
    """The engine's machine as containers see it."""
    return run("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """As ``make up`` starts it; receivers of this machine may be called."""
    if "COMPOSE_TESTS" not in os.environ:
        pytest.skip("it takes minutes and an engine: make test-compose runs it")
    if not docker_answers():
        pytest.fail("no Docker engine answers (DOCKER_HOST)")
    stack = Stack(tmp_path_factory.mktemp("compose") / "env")
    try:
        stack.up(
            port=free_port(),
            COMPOSE_PROJECT_NAME=f"loyalty-test-{secrets.token_hex(3)}",
            WEBHOOKS_ALLOWED_NETWORKS=f"{_host()}/32",
            WEBHOOKS_ALLOWED_HTTP_HOSTS=_host(),
        )
        yield stack
    finally:
        if stack.env_file.exists():
            stack.down(volumes=True)


@pytest.fixture(scope="session")
def image() -> Callable[[str, str], str]:
    """``image("prometheus", default)``: the one that its variable names, else the default where that is had, else one
    of Debian's package."""

    def image(name: str, default: str) -> str:
        if named := os.environ.get(f"{name.upper()}_IMAGE"):
            return named
        for have in (["image", "inspect", "--format", "{{.Id}}"], ["pull", "--quiet"]):
            if subprocess.run(["docker", *have, default], capture_output=True, check=False).returncode == 0:
                return default
        tag, base = f"loyalty-test/{name}", os.environ.get("PYTHON_IMAGE", "python:3.11-slim")
        recipe = (ROOT / f"tests/compose/stand_ins/{name}.Dockerfile").read_text()
        run("docker", "build", "--quiet", "--build-arg", f"BASE={base}", "--tag", tag, "-", stdin=recipe)
        return tag

    return image


@pytest.fixture
def merchant(stack: Stack) -> Merchant:
    """A merchant that no other test knows."""
    terms = ["--plan", "demo", "--currency", "USD", "--country", "US"]
    named = ["--name", "Riverside Coffee", "--time-zone", "America/New_York"]
    organization = ["--organization", str(stack.gateway("organizations", "create", *terms, *named)["id"])]
    location = stack.gateway("locations", "create", *organization, *named)["id"]
    key = stack.gateway("keys", "create", *organization, "--name", "Till", "--mode", "live")["key"]
    url = stack.variables["PUBLIC_BASE_URL"]
    return Merchant(location, key, Integrator(url, key), PatientIntegrator(url, key))


@pytest.fixture
def receiver(stack: Stack) -> Iterator[Receiver]:
    with receiving(_host()) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
