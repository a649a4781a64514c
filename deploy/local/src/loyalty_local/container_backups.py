"""``make backup`` and ``make restore``: all databases of the suite in containers.

Needs Docker and the standard library.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loyalty_local.backups import BackupFailed, Server, back_up, restore
from loyalty_local.containers import ROOT, SERVICES, Containers
from loyalty_local.docker import ContainersFailed, run

DATABASES = {service: service for service in SERVICES if service != "dashboard"} | {"gateway": "accounts"}
# Who tells other services something that these keep.
_TELLING = ("gateway-relay", "customers-relay", "programs-relay", "vouchers-relay", "webhooks-relay", "customers-work")
_SERVERS = ("postgres", "rabbitmq", "redis")
_QUEUES_S = 60
_READY_S = 60
_PAUSE_S = 0.5


class Keeper:
    def __init__(self, containers: Containers) -> None:
        self._containers = containers

    def back_up(self, folder: Path) -> None:
        """While the suite runs: requests are answered all the time, events wait for a few seconds."""
        back_up(self._server(), folder, stillness=self._still())

    def restore(self, folder: Path) -> Any:
        """Puts a backup in place of all databases, starts the suite on it, and returns what the ledger check says."""
        self._containers.down()
        self._containers.compose("up", "--detach", *_SERVERS)
        server = self._server()
        _wait_until_it_answers(server)
        self._containers.compose("run", "--rm", "-T", "--no-deps", "databases")
        restore(server, folder)
        self._rabbitmqctl("await_startup")
        self._forget_messages()
        self._containers.compose("up", "--detach")
        self._containers.wait_ready()
        return self._containers.ledger_findings()

    def _server(self) -> Server:
        running = self._containers.ids("postgres")
        if not running:
            raise ContainersFailed("PostgreSQL is not running: make up starts it.")

        def program(name: str, *arguments: str) -> list[str]:
            return ["docker", "exec", "--interactive", running[0], name, "--username=postgres", *arguments]

        return Server(program, DATABASES)

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Nobody tells anybody anything, and what was told has been taken in."""
        telling = self._containers.ids(*_TELLING)
        try:
            run("docker", "stop", "-t", "30", *telling)
            deadline = time.monotonic() + _QUEUES_S
            while (waiting := {name: count for name, count in self._queues().items() if count}) and (
                time.monotonic() < deadline
            ):
                time.sleep(_PAUSE_S)
            for name, count in waiting.items():
                print(f"  {count} messages of {name} are in the broker alone, and in no backup.", file=sys.stderr)
            yield
        finally:
            run("docker", "start", *telling)

    def _queues(self) -> dict[str, int]:
        """The messages in each queue, those under way too. Dead letters are nobody's work."""
        listed = self._rabbitmqctl("list_queues", "--no-table-headers", "name", "messages").split("\n")
        found = (line.split("\t") for line in listed if "\t" in line)
        return {name: int(count) for name, count in found if not name.endswith(".dead")}

    def _forget_messages(self) -> None:
        """What the broker holds tells of a past that the databases have no longer."""
        for name in self._queues():
            self._rabbitmqctl("purge_queue", name)

    def _rabbitmqctl(self, *arguments: str) -> str:
        return self._containers.execute("rabbitmq", "rabbitmqctl", "--quiet", *arguments)


def _wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            server.ask("postgres", "select 1")
        except BackupFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def main() -> None:
    parser = argparse.ArgumentParser(prog="loyalty_local.container_backups", description="All databases, kept safe.")
    parser.add_argument("--env-file", type=Path, default=ROOT / ".env", help="of the suite (default: .env)")
    commands = parser.add_subparsers(dest="command", required=True)
    new = ROOT / "backups" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    commands.add_parser("backup", help="dump").add_argument("folder", type=Path, nargs="?", default=new)
    commands.add_parser("restore", help="put a backup in place of what is there").add_argument("folder", type=Path)
    arguments = parser.parse_args()
    keeper = Keeper(Containers(arguments.env_file))
    try:
        if arguments.command == "backup":
            keeper.back_up(arguments.folder)
            print(f"\n  {arguments.folder}\n  It is of no use without {arguments.env_file}, which is not in it.\n")
        else:
            findings = keeper.restore(arguments.folder)
            print(json.dumps(findings, indent=2))
            if findings["faults"]:
                sys.exit("\n  The ledger is not sound: docs/operations.md says what to do.\n")
    except (BackupFailed, ContainersFailed) as failure:
        sys.exit(f"\n  {failure}\n")


if __name__ == "__main__":
    main()
