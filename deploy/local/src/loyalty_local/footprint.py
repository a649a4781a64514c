"""``make footprint``: what the suite in containers weighs and what a purchase costs it, as the tables of
docs/deployability.md.

Starts a suite of its own, waits until it is idle, measures, sends purchases, measures again, and forgets it.
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
from loyalty_local.workload import Shop

_SETTLED_S = 60
_PURCHASES = 5_000
_SETTLES_S = 10  # until what follows from the last purchase has been done
_UNITS = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "B": 1 / 1024**2}


def image_sizes(base: str) -> Iterable[str]:
    """Rows: an image, its size, and what of it is not the base image, in MB."""
    base_bytes = _bytes(base)
    yield "| image | MB | beyond the base image |"
    yield "|---|---|---|"
    for service in SERVICES:
        size = _bytes(f"loyalty/{service}:local")
        yield f"| {service} | {size / 1e6:.0f} | {(size - base_bytes) / 1e6:.0f} |"


def memory(containers: Containers) -> dict[str, float]:
    """MiB of the processes of each container."""
    processes = _processes(containers)
    listed = run("docker", "stats", "--no-stream", "--format", "{{.Container}} {{.MemUsage}}", *processes).splitlines()
    return {processes[line.split()[0]]: _mebibytes(line.split()[1]) for line in listed}


def processor_time(containers: Containers) -> dict[str, float]:
    """Seconds that each container has used since it started: of control groups 2, or else of the first version."""
    ask = "cat /sys/fs/cgroup/cpu.stat 2>/dev/null | grep usage_usec || cat /sys/fs/cgroup/cpuacct/cpuacct.usage"
    found = {}
    for container, name in _processes(containers).items():
        *version_2, used = run("docker", "exec", container, "sh", "-c", ask).split()
        found[name] = int(used) / (1e6 if version_2 else 1e9)
    return found


def _table(idle: dict[str, float], busy: dict[str, float], used: dict[str, float]) -> Iterable[str]:
    """Rows: a container, its memory idle and after the purchases, and its processor time for a thousand of them."""
    yield "| container | MiB idle | MiB after | s of processor for 1,000 purchases |"
    yield "|---|---|---|---|"
    for name in sorted(idle, key=lambda name: -used[name]):
        yield f"| {name} | {idle[name]:.0f} | {busy[name]:.0f} | {used[name] * 1000 / _PURCHASES:.2f} |"
    sums = [sum(column.values()) for column in (idle, busy, used)]
    yield f"| all {len(idle)} | {sums[0]:.0f} | {sums[1]:.0f} | {sums[2] * 1000 / _PURCHASES:.2f} |"


def _processes(containers: Containers) -> dict[str, str]:
    return {container: name for name in containers.processes() for container in containers.ids(name)}


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
    demo = containers.up(port=port)
    started_s = time.monotonic() - began
    shop = Shop(demo)
    time.sleep(_SETTLED_S)
    idle, idled = memory(containers), processor_time(containers)
    began = time.monotonic()
    shop.sell(_PURCHASES)
    rate = _PURCHASES / (time.monotonic() - began)
    time.sleep(_SETTLES_S)
    used = {name: seconds - idled[name] for name, seconds in processor_time(containers).items()}
    print("\n".join(image_sizes(containers.variables.get("PYTHON_IMAGE", "python:3.11-slim"))))
    print(f"\nFrom nothing but images until the curl works: {started_s:.0f} s\n")
    print(f"{_PURCHASES} purchases by 8 tills: {rate:.0f} a second\n")
    print("\n".join(_table(idle, memory(containers), used)))


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
