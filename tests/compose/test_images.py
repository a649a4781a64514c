"""What is in the images, and what their processes may do."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_local.docker import run
from loyalty_local.layout import SERVICES

# Beyond the base image, which others choose.
LARGEST_BYTES = 150_000_000


def inside(stack: Any, service: str, script: str) -> list[str]:
    """The lines that a shell's script prints in the running listener of a service."""
    return run("docker", "exec", stack.ids(service)[0], "sh", "-c", f"{script}; true").split("\n")[:-1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_is_nobody_and_writes_nothing_but_temporary_files(stack: Any, service: str) -> None:
    assert inside(stack, service, "id -u; id -g") == ["10001", "10001"]
    assert inside(stack, service, "grep CapEff /proc/1/status | tr '\\t' ' '") == ["CapEff: 0000000000000000"]
    folders = "/ /opt/loyalty /opt/venv /usr/local/bin /home /var/tmp /tmp"
    assert inside(stack, service, f"for in in {folders}; do touch $in/mine 2>/dev/null && echo $in; done") == ["/tmp"]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_nothing_to_build_or_install_with_and_only_its_own_code(stack: Any, service: str) -> None:
    tools = "cc gcc g++ make ld git cargo pip pip3 pg_config"
    assert inside(stack, service, f"for tool in {tools}; do command -v $tool; done") == []
    modules = "pip setuptools wheel ensurepip"
    script = f'for module in {modules}; do python3 -c "import $module" 2>/dev/null && echo $module; done'
    assert inside(stack, service, script) == []
    assert inside(stack, service, "ls /opt/loyalty") == sorted(["loyalty_common", f"loyalty_{service}"])


def size(image: str) -> int:
    return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))


def test_a_service_adds_little_to_the_base_image(stack: Any) -> None:
    base = size(stack.variables.get("PYTHON_IMAGE", "python:3.11-slim"))
    for service in SERVICES:
        assert size(stack.state(stack.ids(service)[0])["Image"]) - base < LARGEST_BYTES, service


def test_no_secret_of_the_suite_is_in_an_image(stack: Any) -> None:
    secrets = [value for name, value in stack.variables.items() if "PASSWORD" in name or "KEY" in name]
    assert len(secrets) > 10
    for service in SERVICES:
        told = run("docker", "history", "--no-trunc", f"loyalty/{service}:local")
        assert [secret for secret in secrets if secret in told] == []
