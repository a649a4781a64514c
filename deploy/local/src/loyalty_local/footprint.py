"""``make footprint``: what the suite in containers weighs, as the tables of docs/deployability.md.

Starts a suite of its own, waits until it is idle, measures, and forgets it.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from loyalty_local.containers import SERVICES, Containers
from loyalty_local.docker import ContainersFailed, run

_SETTLED_S = 60
_UNITS = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "B": 1 / 1024**2}


def image_sizes(base: str) -> Iterable[str]:
    """Rows: an image, its size, and what of it is not the base image, in MB."""
    base_bytes = _bytes(base)
    yield "| image | MB | beyond the base image |"
    yield "|---|---|---|"
    for service in SERVICES:
        size = _bytes(f"loyalty/{service}:local")
        yield f"| {service} | {size / 1e6:.0f} | {(size - base_bytes) / 1e6:.0f} |"


def memory(containers: Containers) -> Iterable[str]:
    """Rows: a container and the memory of its processes, in MiB, the largest first; at last their sum."""
    processes = {container: name for name in containers.processes() for container in containers.ids(name)}
    listed = run("docker", "stats", "--no-stream", "--format", "{{.Container}} {{.MemUsage}}", *processes).splitlines()
    used = {processes[line.split()[0]]: _mebibytes(line.split()[1]) for line in listed}
    yield "| container | MiB |"
    yield "|---|---|"
    for name, size in sorted(used.items(), key=lambda item: -item[1]):
        yield f"| {name} | {size:.0f} |"
    yield f"| all {len(used)} | {sum(used.values()):.0f} |"


def _bytes(image: str) -> int:
    return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))


def _mebibytes(text: str) -> float:
    unit = next(unit for unit in _UNITS if text.endswith(unit))
    return float(text.removesuffix(unit)) * _UNITS[unit]


def _measure(containers: Containers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    containers.make_env_file(port=port, COMPOSE_PROJECT_NAME="loyalty-footprint")
    containers.fetch(*SERVICES)
    began = time.monotonic()
    containers.up(port=port)
    started_s = time.monotonic() - began
    time.sleep(_SETTLED_S)
    print("\n".join(image_sizes(containers.variables.get("PYTHON_IMAGE", "python:3.11-slim"))))
    print(f"\nFrom nothing but images until the curl works: {started_s:.0f} s\n")
    print("\n".join(memory(containers)))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        containers = Containers(Path(folder) / "env")
        try:
            _measure(containers)
        except ContainersFailed as failure:
            sys.exit(f"\n  {failure}\n")
        finally:
            if containers.env_file.exists():
                containers.down(volumes=True)


if __name__ == "__main__":
    main()
