"""How one server is started, stopped and started again: by somebody else, in a container, or as a private process."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
from testcontainers.core.container import DockerContainer

from loyalty_common.testing.machine import ServerMissing, last_lines, run_quietly

_STOP_S = 30
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Runner(Protocol):
    """``start`` and ``stop`` keep data and port; ``close`` is the end of both."""

    def start(self) -> None: ...
    def stop(self, with_signal: signal.Signals) -> None: ...
    def is_running(self) -> bool: ...
    def execute(self, *command: str) -> None: ...
    def close(self) -> None: ...
    def log(self) -> str: ...


class Foreign:
    """A server that somebody else runs: it is used, never stopped, and tests that must stop it are skipped."""

    def __init__(self, variable: str) -> None:
        self._variable = variable

    def _skip(self) -> None:
        pytest.skip(f"the server of {self._variable} is not ours to stop")

    def start(self) -> None: ...

    def stop(self, with_signal: signal.Signals) -> None:
        self._skip()

    def execute(self, *command: str) -> None:
        self._skip()

    def is_running(self) -> bool:
        return True

    def close(self) -> None: ...

    def log(self) -> str:
        return ""


class Process:
    """A private process in a folder of its own. Start it from the main thread: on Linux it dies with its starter."""

    def __init__(self, command: Sequence[str], *, folder: Path, env: dict[str, str], user: str | None = None):
        self.folder = folder
        self._command, self._env, self._user = command, env, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                user=self._user,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops its servers in order.
                preexec_fn=_die_with(os.getpid()),
            )

    def stop(self, with_signal: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(with_signal)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def execute(self, *command: str) -> None:
        run_quietly(command, env=self._env, user=self._user, cwd=self.folder)

    def close(self) -> None:
        self.stop(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return last_lines(self.folder / "log")


class Container:
    """One container on a fixed port of the host, so that a restart keeps the address."""

    def __init__(
        self, image: str, *, inner_port: int, port: int, env: dict[str, str] | None = None, command: Sequence[str] = ()
    ) -> None:
        self._container = DockerContainer(image, env=env).with_bind_ports(inner_port, port).with_command(list(command))
        self._created = False
        self.host = self._container.get_container_host_ip()

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True

    def stop(self, with_signal: signal.Signals) -> None:
        inner = self._container.get_wrapped_container()
        inner.kill(signal=with_signal.name)
        inner.wait(timeout=_STOP_S)

    def is_running(self) -> bool:
        inner = self._container.get_wrapped_container()
        inner.reload()
        return bool(inner.status == "running")

    def execute(self, *command: str) -> None:
        code, output = self._container.exec(list(command))
        if code != 0:
            raise ServerMissing(f"{command[0]} failed ({code}): {output!r}")

    def close(self) -> None:
        self._container.stop()

    def log(self) -> str:
        printed: bytes = self._container.get_wrapped_container().logs(tail=15)
        return printed.decode(errors="replace")


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


def private_folder(name: str, *, owner: str | None = None) -> Path:
    """A folder with a short path (sockets live in it), closed to everybody but ``owner``."""
    folder = Path(tempfile.mkdtemp(prefix=f"loyalty-{name}-"))
    if owner is not None:
        shutil.chown(folder, owner)
    return folder


def _die_with(parent: int) -> Callable[[], None] | None:
    """Lets the kernel end the process when the test run is killed and no fixture can."""
    if _libc is None:
        return None

    def ask() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask
