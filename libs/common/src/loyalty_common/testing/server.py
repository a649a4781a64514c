"""What the servers of a test run have in common, and the order in which they are looked for."""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from typing import ClassVar, Self

from docker.errors import DockerException  # type: ignore[import-untyped]

from loyalty_common.testing.machine import ServerMissing
from loyalty_common.testing.runners import Foreign, Runner, docker_answers

_READY_S = 60


class Server(ABC):
    """A server that answers at ``url`` from ``open`` to ``close``, but for what a test does to it in between."""

    variable: ClassVar[str]

    def __init__(self, url: str, runner: Runner) -> None:
        self.url = url
        self.runner = runner

    @classmethod
    def open(cls) -> Self:
        """The server of the environment's URL, else one in a container, else a private process."""
        if url := os.environ.get(cls.variable):
            return cls(url, Foreign(cls.variable))._opened()
        if docker_answers():
            try:
                return cls.in_container()._opened()
            except DockerException:
                pass  # An engine that cannot get the image is of no more use than none.
        return cls.as_process()._opened()

    def start(self) -> None:
        self.runner.start()
        deadline = time.monotonic() + _READY_S
        while not self.answers():
            if time.monotonic() > deadline or not self.runner.is_running():
                raise ServerMissing(f"{type(self).__name__} at {self.variable} does not answer.\n{self.runner.log()}")
            time.sleep(0.05)

    def stop(self) -> None:
        self.runner.stop(signal.SIGTERM)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.runner.close()

    @classmethod
    @abstractmethod
    def in_container(cls) -> Self: ...

    @classmethod
    @abstractmethod
    def as_process(cls) -> Self: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def _opened(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self
