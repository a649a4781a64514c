"""Starts processes, starts them again when they die, and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from loyalty_local import tether
from loyalty_local.leftovers import Record, Started

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 20.0  # What lived so long had recovered: its next death counts as the first.
_DRAIN_S = 15.0
_TICK_S = 0.05


@dataclass(frozen=True)
class Command:
    """A program; ``stop_signal`` asks it to drain and end, ``delay_s`` holds back its first start."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    delay_s: float = 0.0

    def popen(self, *, stdout: BinaryIO | int, stderr: BinaryIO | int) -> subprocess.Popen[bytes]:
        """Starts it as the leader of a group; on Linux it is asked to stop when the calling thread ends."""
        tied = [tether.__file__, str(os.getpid()), str(int(self.stop_signal)), self.user or "", *self.arguments]
        return subprocess.Popen(
            [sys.executable, "-IS", *tied],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )


class Process:
    """One long-running process and its successors. Safe to use from any thread."""

    def __init__(self, command: Command, *, log: Path, supervisor: Supervisor) -> None:
        self.command = command
        self.log = log
        self.started: Started | None = None
        self._supervisor = supervisor
        self._popen: subprocess.Popen[bytes] | None = None
        self._wanted = True
        self._next_start = time.monotonic() + command.delay_s
        self._started_at = 0.0
        self._deaths = 0
        self._kill_at = 0.0

    @property
    def pid(self) -> int | None:
        """None while it is down."""
        popen = self._popen
        return popen.pid if popen else None

    def kill(self) -> None:
        """SIGKILL to the process and its workers, as by the system; the supervisor starts it again."""
        with self._supervisor.changed:
            if self._popen is not None:
                os.killpg(self._popen.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Drains it and leaves it down."""
        self._supervisor.stop([self])

    def start(self) -> None:
        with self._supervisor.changed:
            self._wanted, self._next_start = True, 0.0
            self._supervisor.wait_for(lambda: self._popen is not None)

    def restart(self) -> None:
        self.stop()
        self.start()

    def ask_to_stop(self) -> None:
        self._wanted = False
        self._kill_at = time.monotonic() + _DRAIN_S
        if self._popen is not None:
            self._popen.send_signal(self.command.stop_signal)

    def attend(self) -> bool:
        """What is due at this moment; says whether the process came or went. Only the supervisor's thread calls it:
        processes are tied to the thread that starts them."""
        now = time.monotonic()
        if self._popen is None:
            if not self._wanted or now < self._next_start:
                return False
            self._spawn(now)
            return True
        if self._popen.poll() is not None:
            self._bury(self._popen, now)
            return True
        if not self._wanted and now > self._kill_at:
            os.killpg(self._popen.pid, signal.SIGKILL)
        return False

    def _spawn(self, now: float) -> None:
        with self.log.open("ab") as log:
            self._popen = self.command.popen(stdout=log, stderr=log)
        self.started = Started.now(self.command.name, self._popen.pid, self.command.stop_signal)
        self._started_at = now

    def _bury(self, dead: subprocess.Popen[bytes], now: float) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(dead.pid, signal.SIGKILL)  # Workers that outlived their leader hold its port.
        self._popen = self.started = None
        if not self._wanted:
            return
        self._deaths = 1 if now - self._started_at > _STEADY_S else self._deaths + 1
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (self._deaths - 1))
        self._next_start = now + pause
        self._supervisor.say(
            f"{self.command.name} {_ending(dead.returncode)}; it is started again in {pause:g} s. Its log: {self.log}"
        )


class Supervisor:
    """Keeps processes running, from one thread of its own, until ``close``."""

    def __init__(self, *, logs: Path, record: Record, say: Callable[[str], None]) -> None:
        self.processes: dict[str, Process] = {}
        self.changed = threading.Condition()
        self.say = say
        self._logs = logs
        self._record = record
        self._closing = False
        self._thread = threading.Thread(target=self._attend_all, name="supervisor", daemon=True)
        self._thread.start()

    def add(self, command: Command) -> Process:
        """Starts it soon, with a log of its own; that of the last run is kept beside it."""
        log = self._logs / f"{command.name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        process = Process(command, log=log, supervisor=self)
        with self.changed:
            self.processes[command.name] = process
            self.changed.notify_all()
        return process

    def stop(self, processes: Iterable[Process]) -> None:
        """Drains these processes, all at once; what takes too long is killed."""
        with self.changed:
            processes = list(processes)
            for process in processes:
                process.ask_to_stop()
            self.wait_for(lambda: all(process.pid is None for process in processes))

    def close(self) -> None:
        self.stop(self.processes.values())
        with self.changed:
            self._closing = True
            self.changed.notify_all()
        self._thread.join()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        self.changed.notify_all()
        if not self.changed.wait_for(condition, timeout=2 * _DRAIN_S):
            raise TimeoutError("a process neither ended nor began")

    def _attend_all(self) -> None:
        with self.changed:
            while not self._closing:
                changes = [process.attend() for process in self.processes.values()]
                if any(changes):
                    self._record.write(process.started for process in self.processes.values() if process.started)
                    self.changed.notify_all()
                self.changed.wait(_TICK_S)


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
