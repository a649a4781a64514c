"""Processes that are no web servers: until SIGTERM, and jobs every so often."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Mapping

import structlog

_log = structlog.get_logger()


def until_stopped() -> threading.Event:
    """An event that SIGTERM and SIGINT set; what is under way is finished first.

    A thread sets it, never the handler: that runs in the middle of the main thread, perhaps inside ``stop.wait``, and
    would wait for ever for the lock which that one holds.
    """
    stop = threading.Event()
    told, telling = socket.socketpair()
    telling.setblocking(False)
    signal.set_wakeup_fd(telling.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        told.recv(1)
        stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stop


def run_jobs(jobs: Mapping[str, Callable[[], object]], *, name: str, every_s: float | None) -> None:
    """Run one job, or ``all``; once, or again every ``every_s`` seconds until stopped.

    A job that fails in a repeated run is logged and tried at the next turn; in a single run it fails the process.
    """
    stop = until_stopped()
    chosen = jobs if name == "all" else {name: jobs[name]}
    while True:
        for job_name, job in chosen.items():
            try:
                _log.info("job_done", job=job_name, result=job())
            except Exception:
                if every_s is None:
                    raise
                _log.exception("job_failed", job=job_name)
        if every_s is None or stop.wait(every_s):
            return


def run_worker(step: Callable[[], bool], *, stop: threading.Event, idle_s: float = 0.5) -> None:
    """Takes up work until stopped: ``step`` does a short piece of it and says whether there was any.

    A step that fails is logged and tried again after a pause; what it had claimed comes back by its lease.
    """
    while not stop.is_set():
        try:
            if step():
                continue
        except Exception:
            _log.exception("work_failed")
        stop.wait(idle_s)
