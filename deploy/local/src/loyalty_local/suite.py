"""The whole suite on one machine, as processes: for ``make run`` and for the tests that drive or kill it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGINT
from typing import Self

from loyalty_local.databases import create_databases
from loyalty_local.keys import Keys
from loyalty_local.layout import DATABASES, GUESTS, SERVICES, Addresses, Layout
from loyalty_local.leftovers import Record
from loyalty_local.postgres import Embedded
from loyalty_local.processes import Command, Process, Supervisor
from loyalty_local.readiness import wait_until_ready

_LAST_LINES = 15


class SuiteFailed(Exception):
    """The suite does not start; the text says why, for whoever started it."""


class Suite:
    """Everything is kept in ``directory``; a suite started there again finds the data of the last one.

    ``postgres_url``: a server on which databases may be created, instead of the embedded one. ``events_url``: a broker
    (``amqp://…``) instead of the embedded transport. ``redis_url``: shared limits for the gateway. ``environment``:
    for all processes, on top of what the suite tells them. ``say`` gets a line for each process that dies.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        postgres_url: str | None = None,
        events_url: str | None = None,
        redis_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.directory = directory.resolve()
        self.is_new = False
        self._port = port
        self._postgres_url = postgres_url
        self._events_url = events_url
        self._redis_url = redis_url
        self._environment = environment or {}
        self._say = say
        self._running = ExitStack()

    @property
    def base_url(self) -> str:
        """As integrators know it; it ends in ``/api/v1``."""
        return self.layout.addresses.public_url

    @property
    def processes(self) -> Mapping[str, Process]:
        """By name: ``programs-serve``, ``programs-relay``, ``webhooks-deliver``, ``postgres``, …"""
        return self._supervisor.processes

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts all processes; ``wait_ready`` tells when they answer."""
        with ExitStack() as started:
            started.enter_context(alone_in(self.directory))
            record = Record(self.directory / "processes.json")
            record.end_leftovers()
            (self.directory / "log").mkdir(exist_ok=True)
            self._supervisor = Supervisor(logs=self.directory / "log", record=record, say=self._say)
            started.callback(self._supervisor.close)
            self.layout = self._lay_out()
            started.callback(self._drain)
            with ThreadPoolExecutor(len(SERVICES)) as side_by_side:
                list(side_by_side.map(self._start_service, SERVICES))
            self._running = started.pop_all()

    def wait_ready(self, timeout_s: float = 60) -> None:
        """Returns once every listener says that it and what it needs are there; after a while raises ``NotReady``."""
        wait_until_ready(self.layout.addresses.ports, timeout_s=timeout_s)

    def stop(self) -> None:
        self._running.close()

    def run(self, service: str, *arguments: str) -> str:
        """What a command of a service prints, e.g. ``run("gateway", "keys", "create", …)``."""
        command = self.layout.command(service, *arguments)
        with command.popen(stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            printed, complaint = process.communicate()
        if process.returncode != 0:
            said = "\n".join(complaint.decode(errors="replace").splitlines()[-_LAST_LINES:])
            raise SuiteFailed(f"loyalty-{service} {' '.join(arguments[:2])} failed:\n{said}")
        return printed.decode()

    def _lay_out(self) -> Layout:
        """Finds or makes keys, ports and databases."""
        addresses = Addresses.beside(self._port)
        keys = Keys.of(self.directory / "keys.json")
        if self._postgres_url:
            server, suffix = self._postgres_url, f"_{keys.installation}"
        else:
            server, suffix = self._start_postgres(keys), ""
        urls = create_databases(server, DATABASES, secret=keys.database_password, suffix=suffix)
        return Layout(keys, addresses, urls, self._events_url, self._redis_url, self._environment)

    def _start_postgres(self, keys: Keys) -> str:
        embedded = Embedded.of(self.directory, keys)
        self.is_new = embedded.prepare()
        embedded.end_earlier()
        environment = embedded.environment()
        self._supervisor.add(Command("postgres", embedded.command(), environment, embedded.user, stop_signal=SIGINT))
        embedded.wait_until_it_answers()
        return embedded.url

    def _start_service(self, service: str) -> None:
        if service not in GUESTS:
            self.run(service, "migrate")
        for command in self.layout.commands(service):
            self._supervisor.add(command)

    def _drain(self) -> None:
        """The doors first, then what stands behind them; the database is left to the supervisor's end."""
        for door in ("dashboard-serve", "gateway-serve"):
            self._supervisor.stop(process for name, process in self.processes.items() if name == door)
        self._supervisor.stop(process for name, process in self.processes.items() if name != "postgres")


def forget(directory: Path) -> None:
    """Deletes the data, the keys and the logs of the suite in ``directory``, also those it keeps elsewhere."""
    with alone_in(directory):
        Record(directory / "processes.json").end_leftovers()
        if (directory / "keys.json").exists():
            embedded = Embedded.of(directory, Keys.of(directory / "keys.json"))
            embedded.end_earlier()
            embedded.forget()
        shutil.rmtree(directory)


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Holds a lock that ends with this process, however it ends."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SuiteFailed(f"A suite already runs in {directory}.") from None
        yield
