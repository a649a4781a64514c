"""Who was started here, so that the next start can end what a killed launcher left, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_DRAIN_S = 10
_NOTICE_S = 5
_LOOK_S = 0.02


@dataclass(frozen=True)
class Started:
    """A process and the moment of its start: a pid alone may by now belong to a stranger."""

    name: str
    pid: int
    moment: str
    stop_signal: int

    @classmethod
    def now(cls, name: str, pid: int, stop_signal: int) -> Self:
        return cls(name, pid, moment_of_start(pid) or "", stop_signal)

    def is_alive(self) -> bool:
        return bool(self.moment) and moment_of_start(self.pid) == self.moment

    def left_workers(self) -> bool:
        """Whether the leader of the group is gone and workers are not: they go as soon as they notice."""
        if moment_of_start(self.pid) is not None:
            return False
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def signal_group(self, number: int) -> None:
        """Every process of ours leads a group of its own, so its workers get the signal too."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


class Record:
    """The processes of one suite, in a file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, processes: Iterable[Started]) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps([asdict(process) for process in processes]))
        new.replace(self._path)

    def read(self) -> list[Started]:
        try:
            return [Started(**entry) for entry in json.loads(self._path.read_text())]
        except (FileNotFoundError, ValueError, TypeError):
            return []

    def end_leftovers(self) -> list[str]:
        """Ends what is recorded and still runs, and returns its names. The database goes last, its clients first."""
        recorded = self.read()
        left = [process for process in recorded if process.is_alive()]
        for database in (False, True):
            end([process for process in left if (process.name == "postgres") is database])
        deadline = time.monotonic() + _NOTICE_S
        while any(process.left_workers() for process in recorded) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        self.write([])
        return [process.name for process in left]


def end(processes: list[Started]) -> None:
    """Asks these processes to stop, and insists after a while."""
    for process in processes:
        process.signal_group(process.stop_signal)
    deadline = time.monotonic() + _DRAIN_S
    while any(process.is_alive() for process in processes):
        if time.monotonic() > deadline:
            for process in processes:
                process.signal_group(signal.SIGKILL)
        time.sleep(_LOOK_S)


def moment_of_start(pid: int) -> str | None:
    """When this process began, in words that no other process with this pid shares; None if it does not run."""
    if sys.platform != "linux":
        printed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return printed.stdout.strip() or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else f"{boot} {fields[19]}"


def command_line(pid: int) -> str:
    """The words with which a process was started; empty if it does not run."""
    try:
        if sys.platform == "linux":
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
