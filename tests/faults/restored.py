"""A second suite, on another server, made of nothing but a backup and the keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

from loyalty_local import binaries
from loyalty_local.backups import Server, restore
from loyalty_local.databases import create_databases
from loyalty_local.keys import Keys
from loyalty_local.layout import DATABASES
from loyalty_local.postgres import Embedded
from loyalty_local.processes import Command
from loyalty_local.suite import Suite, forget
from loyalty_testing.machine import free_port

TELLING = ("gateway-relay", "customers-relay", "programs-relay", "vouchers-relay", "webhooks-relay", "customers-work")


def server_in(directory: Path) -> Server:
    """The embedded server of the suite in ``directory``, and the programs that come with it."""
    keys = Keys.of(directory / "keys.json")
    embedded = Embedded.of(directory, keys)
    environment = {"PGHOST": str(embedded.sockets), "PGUSER": "postgres", "PGPASSWORD": keys.database_password}
    programs = binaries.programs(copy_to=None)
    return Server(lambda name, *arguments: [str(programs / name), *arguments], DATABASES, environment)


@contextmanager
def still(suite: Suite) -> Iterator[None]:
    """As ``make backup`` does it in containers: nobody tells anybody anything."""
    telling = [suite.processes[name] for name in TELLING]
    for process in telling:
        process.stop()
    try:
        yield
    finally:
        for process in telling:
            process.start()


@contextmanager
def suite_of(backup: Path, keys: Path, *, directory: Path) -> Iterator[Suite]:
    """Runs on the restored databases, ready."""
    directory.mkdir(mode=0o700)
    shutil.copy(keys, directory / "keys.json")
    with _new_server(directory):
        restore(server_in(directory), backup)
    suite = Suite(directory, port=free_port())
    try:
        suite.start()
        suite.wait_ready()
        yield suite
    finally:
        suite.stop()
        forget(directory)


@contextmanager
def _new_server(directory: Path) -> Iterator[None]:
    """With the services' roles and empty databases; nothing else runs in ``directory`` yet."""
    keys = Keys.of(directory / "keys.json")
    embedded = Embedded.of(directory, keys)
    embedded.prepare()
    command = Command("postgres", embedded.command(), embedded.environment(), embedded.user)
    with (directory / "postgres.log").open("wb") as log, command.popen(stdout=log, stderr=log) as process:
        try:
            embedded.wait_until_it_answers()
            create_databases(embedded.url, DATABASES, secret=keys.database_password)
            yield
        finally:
            process.send_signal(SIGINT)
