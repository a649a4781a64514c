"""What the servers of a test run have in common, and the order in which they are looked for."""

from __future__ import annotations

import os
import secrets
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from docker.errors import DockerException  # type: ignore[import-untyped]

from loyalty_testing.machine import ServerMissing, free_port
from loyalty_testing.runners import Container, Foreign, Process, Runner, docker_answers

_READY_S = 60


class Server(ABC):
    """A server that answers at ``url`` from ``open`` to ``close``, but for what a test does to it in between."""

    variable: ClassVar[str]
    """Names the environment's URL of a server to be used instead of our own."""
    address: ClassVar[str]
    """The URL of our own, with ``{password}``, ``{host}`` and ``{port}``."""
    image: ClassVar[tuple[str, str]]
    """The variable that names the image, and its default."""
    inner_port: ClassVar[int]
    container_env: ClassVar[Sequence[str]] = ()
    container_command: ClassVar[Sequence[str]] = ()
    """Both with ``{password}``."""

    def __init__(self, url: str, runner: Runner) -> None:
        self.url = url
        self.runner = runner

    @classmethod
    def open(cls) -> Self:
        """The server of the environment's URL, else one in a container, else a private process."""
        if url := os.environ.get(cls.variable):
            return cls(url, Foreign(cls.variable))._opened()
        port, password = free_port(), secrets.token_hex(16)
        runner = cls._container(port, password) or cls.process(port, password)
        url = cls.address.format(password=password, host=runner.host, port=runner.port)
        return cls(url, runner)._opened()

    @property
    def is_ours(self) -> bool:
        """Whether a test may stop it."""
        return not isinstance(self.runner, Foreign)

    def start(self) -> None:
        self.runner.start()
        deadline = time.monotonic() + _READY_S
        while not self.answers():
            failure = self.runner.failure()
            if failure is not None or time.monotonic() > deadline:
                raise ServerMissing(f"{type(self).__name__} ({self.variable}) does not answer. {failure or ''}")
            time.sleep(0.05)

    def stop(self) -> None:
        self.runner.stop(signal.SIGTERM)

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL, and started again at once, as by a supervisor; whoever needs it waits until it ``answers``."""
        self.runner.stop(signal.SIGKILL)
        self.runner.start()

    def close(self) -> None:
        self.runner.close()

    @classmethod
    @abstractmethod
    def process(cls, port: int, password: str) -> Process:
        """A private process from binaries of this machine, not yet started."""

    @abstractmethod
    def answers(self) -> bool: ...

    @classmethod
    def _container(cls, port: int, password: str) -> Container | None:
        """None where no engine answers; one that cannot get the image is of no more use."""
        if not docker_answers():
            return None
        env = dict(line.format(password=password).split("=") for line in cls.container_env)
        command = [word.format(password=password) for word in cls.container_command]
        try:
            return Container(os.environ.get(*cls.image), ports=(cls.inner_port, port), env=env, command=command)
        except DockerException:
            return None

    def _opened(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self
