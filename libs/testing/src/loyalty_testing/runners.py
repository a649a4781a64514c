"""Where a server of the tests runs: with somebody else, in a container, or as a private process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
from requests import RequestException
from testcontainers.core.container import DockerContainer

from loyalty_testing.machine import ServerMissing

_STOP_S = 15
# On Linux the kernel ends a server when the thread that started it ends, as it does when the test run is killed and no
# fixture can stop anything. So one thread, which lives as long as the run, starts them all.
_TIED = ["setpriv", "--pdeathsig", "TERM"] if sys.platform == "linux" and shutil.which("setpriv") else []
_starter = ThreadPoolExecutor(1, thread_name_prefix="server-starter")


class Runner(Protocol):
    def start(self) -> None: ...
    def stop(self, with_signal: signal.Signals) -> None: ...
    def execute(self, *command: str) -> None:
        """Runs a program of the server, where the server runs."""

    def failure(self) -> str | None:
        """The end of the log of a server that died, None as long as there is hope."""

    def close(self) -> None:
        """Stops for good and forgets the data."""


class Foreign:
    """A server that somebody else runs: it is used but never stopped; a test that must stop it is skipped."""

    def __init__(self, variable: str) -> None:
        self._variable = variable

    def start(self) -> None: ...

    def stop(self, with_signal: signal.Signals) -> None:
        pytest.skip(f"the server of {self._variable} is not ours to stop")

    def execute(self, *command: str) -> None:
        pytest.skip(f"the server of {self._variable} is not ours to command")

    def failure(self) -> None: ...

    def close(self) -> None: ...


class Container:
    """A container, started at once: only then is its address known. Its port on the host is fixed, so that a restart
    keeps it."""

    def __init__(self, image: str, *, ports: tuple[int, int], env: Mapping[str, str], command: Sequence[str]) -> None:
        self._container = DockerContainer(image, env=dict(env)).with_bind_ports(*ports).with_command(list(command))
        self._container.start()
        self.host = self._container.get_container_host_ip()
        self.port = int(self._container.get_exposed_port(ports[0]))

    def start(self) -> None:
        self._container.get_wrapped_container().start()

    def stop(self, with_signal: signal.Signals) -> None:
        inner = self._container.get_wrapped_container()
        inner.reload()
        if inner.status != "running":
            return
        inner.kill(signal=with_signal.name)
        try:
            inner.wait(timeout=_STOP_S)
        except RequestException:  # A first process of a container ignores what it does not handle.
            inner.kill()
            inner.wait()

    def execute(self, *command: str) -> None:
        code, output = self._container.exec(list(command))
        if code != 0:
            raise ServerMissing(f"{command[0]} failed ({code}): {output!r}")

    def failure(self) -> None: ...

    def close(self) -> None:
        self._container.stop()


class Process:
    """A private process in a folder of its own."""

    host = "127.0.0.1"

    def __init__(
        self, command: Sequence[str], *, port: int, folder: Path, env: Mapping[str, str], user: str | None = None
    ) -> None:
        self.port = port
        self.folder = folder
        self._command, self._env, self._user = command, env, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = _starter.submit(
                subprocess.Popen,
                [*_TIED, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                user=self._user,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops its servers in order.
            ).result()

    def stop(self, with_signal: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(with_signal)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def execute(self, *command: str) -> None:
        """Shows what the program printed only if it fails."""
        done = subprocess.run(  # noqa: S603
            command, env=self._env, user=self._user, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ServerMissing(f"{command[0]} failed ({done.returncode}): {done.stdout}{done.stderr}")

    def failure(self) -> str | None:
        if self._process is None or self._process.poll() is None:
            return None
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-15:])

    def close(self) -> None:
        self.stop(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)


def docker_answers() -> bool:
    """Whether an engine listens. Asked without Docker's client, which leaks a socket where there is none."""
    engine = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    with socket.socket(socket.AF_UNIX if engine.scheme == "unix" else socket.AF_INET) as probe:
        probe.settimeout(5)
        try:
            probe.connect(engine.path if engine.scheme == "unix" else (engine.hostname, engine.port))
        except OSError:
            return False
        return True
