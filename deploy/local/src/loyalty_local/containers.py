"""``python -m loyalty_local.containers up | down | roll SERVICE``: the suite as docker-compose.yml describes it.

Runs whichever Compose is there, 1.29 or 2. Needs Docker and the standard library, no virtual environment.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from functools import cached_property
from pathlib import Path
from typing import Any

from loyalty_local.docker import ContainersFailed, compose_program, run
from loyalty_local.founding import found, introduction

ROOT = Path(__file__).parents[4]
SERVICES = ("gateway", "customers", "programs", "vouchers", "webhooks", "dashboard")
_ROLLED = SERVICES[1:-1]
_NEW_ENV = ROOT / "deploy" / "compose" / "new_env.py"
# What is chosen when .env is made stays chosen: a volume belongs to the server that wrote it.
_SERVERS = ("postgres", "rabbitmq", "redis", "nginx", "prometheus", "grafana")
_IMAGES = [f"{name.upper()}_IMAGE" for name in ("python", *_SERVERS, *SERVICES)]
_READY_S = 180
_PAUSE_S = 0.5
_GRACE_S = "30"
# As Docker writes it behind a container's name.
_NOT_READY = re.compile(r"\(health: starting\)|\(unhealthy\)|: (Restarting|Created|Removal|Dead|Exited \([^0])")

_READY = """
  The same as variables in {file}. make down stops everything and keeps the data.
"""


class Containers:
    """``env_file`` holds the secrets and choices of one installation, and wins over the caller's environment; beside
    it lies ``<env_file>.demo``, the demo organization."""

    def __init__(self, env_file: Path) -> None:
        self.env_file = env_file.resolve()
        self.demo_file = self.env_file.with_name(f"{self.env_file.name}.demo")

    def up(self, *options: str, port: int, **chosen: str) -> dict[str, str]:
        """Starts everything and returns the variables of the demo organization once all is ready.

        ``options`` are Compose's, e.g. ``--scale programs=2``; ``port`` and ``chosen`` are for a new ``.env``.
        """
        self.make_env_file(port=port, **chosen)
        self.fetch(*SERVICES)
        self.compose("up", "--detach", "--remove-orphans", *options)
        self.wait_ready()
        return self._demo()

    def down(self, *, volumes: bool = False) -> None:
        """Removes the containers and, only if told to, the data."""
        everything = ["--profile", "observability", "--profile", "forward-auth"]
        self.compose(*everything, "down", "--remove-orphans", *(["--volumes"] if volumes else []))
        if volumes:
            self.demo_file.unlink(missing_ok=True)

    def roll(self, service: str) -> None:
        """Replaces a service's processes by those of the newest image; no request fails."""
        if service not in _ROLLED:
            raise ContainersFailed(
                f"{service} cannot be rolled: only customers, programs, vouchers and webhooks can. The gateway and the "
                "dashboard hold published ports; make up replaces them within seconds, in which clients try again."
            )
        self.fetch(service)
        self.compose("run", "--rm", "-T", "--no-deps", f"{service}-migrate")
        old = self.ids(service)
        self.compose("up", "--detach", "--no-deps", "--no-recreate", f"--scale={service}={2 * len(old)}", service)
        self.wait_ready()
        # The listener that closes refuses, and the caller goes on to the next address of the service's name.
        for container in old:
            run("docker", "stop", "-t", _GRACE_S, container)
            run("docker", "rm", container)
        others = [name for name in self.processes() if name.startswith(f"{service}-")]
        # Compose 2 would go back to one of each.
        scales = [f"--scale={name}={len(self.ids(name))}" for name in others]
        self.compose("up", "--detach", "--no-deps", *scales, *others)
        self.wait_ready()

    def processes(self) -> list[str]:
        """The names of all services of docker-compose.yml that are running, those of profiles too."""
        return sorted(set(self._list("--format", '{{.Label "com.docker.compose.service"}}')))

    def fetch(self, *services: str) -> None:
        """Images that .env names from their registry, the others built here."""
        built = [service for service in services if f"{service.upper()}_IMAGE" not in self.variables]
        named = [service for service in services if service not in built]
        print("  Getting images ready, which takes minutes the first time …", flush=True)
        if named:
            self.compose("pull", "--quiet", *named)
        if built:
            self.compose("build", "--quiet", *built)

    def compose(self, *arguments: str) -> str:
        """What Compose prints to stdout; the rest goes to the terminal."""
        place = ["--project-directory", str(ROOT), "--file", str(ROOT / "docker-compose.yml")]
        return run(
            *compose_program(), *place, "--env-file", str(self.env_file), *arguments, environment=self._environment
        )

    def execute(self, process: str, *command: str) -> str:
        """What the command prints in a container of the process that runs.

        Docker's exec: that of Compose 1.29 wants the first container, and ``roll`` leaves others.
        """
        running = self.ids(process)
        if not running:
            raise ContainersFailed(f"{process} is not running: make up starts it.")
        return run("docker", "exec", running[0], *command)

    def ledger_findings(self) -> Any:
        """What ``check-ledger`` prints, of faults too, with which it fails."""
        printed = self.execute("programs", "sh", "-c", "loyalty-programs check-ledger || test $? = 1")
        if not printed:
            raise ContainersFailed("The ledger could not be checked; the reason stands above.")
        return json.loads(printed)

    def wait_ready(self) -> None:
        """Returns once no container of the suite is starting, unhealthy or about to be started again."""
        deadline = time.monotonic() + _READY_S
        while True:
            listed = self._list("--all", "--format", "{{.Names}}: {{.Status}}")
            waiting = [line for line in listed if _NOT_READY.search(line)]
            if listed and not waiting:
                return
            if time.monotonic() > deadline:
                raise ContainersFailed("Not ready (docker logs NAME says why): " + "; ".join(waiting))
            time.sleep(_PAUSE_S)

    def ids(self, *processes: str) -> list[str]:
        """The running containers of these services of docker-compose.yml."""
        listed = (line.split() for line in self._list("--format", '{{.ID}} {{.Label "com.docker.compose.service"}}'))
        return [container for container, process in listed if process in processes]

    def _list(self, *options: str) -> list[str]:
        project = f"label=com.docker.compose.project={self.variables['COMPOSE_PROJECT_NAME']}"
        return run("docker", "ps", "--filter", project, *options).splitlines()

    @cached_property
    def variables(self) -> dict[str, str]:
        if not self.env_file.exists():
            raise ContainersFailed(f"There is no suite in containers: {self.env_file} is missing, which make up makes.")
        return _read(self.env_file)

    @property
    def _environment(self) -> dict[str, str]:
        # Compose would prefer the caller's variables: a POSTGRES_PASSWORD of another project must not get in.
        return {name: value for name, value in os.environ.items() if name not in self.variables}

    def make_env_file(self, *, port: int, **chosen: str) -> None:
        """Unless it is there. By a script inside the gateway's image: Python alone makes no Ed25519 keys."""
        if self.env_file.exists():
            return
        image = os.environ.get("GATEWAY_IMAGE", "loyalty/gateway:local")
        if "GATEWAY_IMAGE" not in os.environ:
            python = ["--build-arg", "PYTHON_IMAGE"] if "PYTHON_IMAGE" in os.environ else []
            print("  Building the first image …", flush=True)
            run("docker", "build", "--quiet", *python, "--target", "gateway", "--tag", image, str(ROOT))
        named = {name: os.environ[name] for name in _IMAGES if name in os.environ}
        door = f"http://127.0.0.1:{port}"
        address = {
            "LISTEN": f"127.0.0.1:{port}",
            "PUBLIC_BASE_URL": f"{door}/api/v1",
            "DASHBOARD_LISTEN": f"127.0.0.1:{port + 1}",
            "DASHBOARD_URL": f"http://127.0.0.1:{port + 1}/dashboard",
        }
        variables = {"COMPOSE_PROJECT_NAME": "loyalty", **address, **named, **chosen}
        choices = [f"{name}={value}" for name, value in variables.items()]
        script = ["--interactive", "--entrypoint", "python3", image, "-", *choices]
        _write_private(self.env_file, run("docker", "run", "--rm", *script, stdin=_NEW_ENV.read_text()))

    def _demo(self) -> dict[str, str]:
        """Made once; anew where the file tells of data that are no more."""
        url = self.variables["PUBLIC_BASE_URL"]
        known = _read(self.demo_file) if self.demo_file.exists() else {}
        if not known or not _accepts(url, known["LOYALTY_API_KEY"]):
            known = found(lambda *command: self.execute("gateway", "loyalty-gateway", *command))
        variables = {**known, "LOYALTY_URL": url, "DASHBOARD_URL": self.variables["DASHBOARD_URL"]}
        _write_private(self.demo_file, "".join(f"{name}={value}\n" for name, value in sorted(variables.items())))
        return variables


def _accepts(url: str, api_key: str) -> bool:
    asked = f"{url}/customers?per_page=1"
    request = urllib.request.Request(asked, headers={"Authorization": f"Bearer {api_key}"})  # noqa: S310 (ours)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30):
            return True
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code != 401


def _read(file: Path) -> dict[str, str]:
    lines = (line for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip("'\"") for name, value in (line.split("=", 1) for line in lines)}


def _write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="loyalty_local.containers", description="The whole suite in containers.")
    parser.add_argument("--env-file", type=Path, default=ROOT / ".env", help="made if it is not there (default: .env)")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything; takes options of Compose's up, --scale programs=2")
    up.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")), help="of a new .env")
    commands.add_parser("down", help="stop everything").add_argument(
        "--volumes", action="store_true", help="and the data"
    )
    commands.add_parser("roll", help="replace one service without a failed request").add_argument("service")
    arguments, options = parser.parse_known_args()
    if options and arguments.command != "up":
        parser.error(f"unrecognized arguments: {' '.join(options)}")
    containers = Containers(arguments.env_file)
    try:
        if arguments.command == "up":
            began = time.monotonic()
            demo = containers.up(*options, port=arguments.port)
            print(introduction(demo, seconds=time.monotonic() - began) + _READY.format(file=containers.demo_file))
        elif arguments.command == "down":
            containers.down(volumes=arguments.volumes)
        else:
            containers.roll(arguments.service)
    except ContainersFailed as failure:
        sys.exit(f"\n  {failure}\n")


if __name__ == "__main__":
    main()
