"""How every HTTP process of a service starts: the process becomes gunicorn, nothing is imported before it."""

from __future__ import annotations

import os
import sys


def serve(app: str, *, bind: str, workers: int, threads: int) -> None:
    """Replace this process by gunicorn (gthread) serving ``app``, e.g. ``loyalty_programs.app:from_environment()``.

    Keep-alive is 75 s: it must outlive the callers' pools, which drop connections idle for 30 s (a server that
    closes first breaks pooled POSTs). Drains for 25 s on SIGTERM.
    """
    options = {
        "--bind": bind,
        "--workers": workers,
        "--threads": threads,
        "--worker-class": "gthread",
        "--worker-connections": 1000,
        "--keep-alive": 75,
        "--graceful-timeout": 25,
        "--timeout": 60,
        # Never shorter than the gateway's: what the door let in must not end in gunicorn's own page.
        "--limit-request-line": 8190,
        "--log-level": "warning",
        "--worker-tmp-dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108 (heartbeat files in memory)
    }
    arguments = [str(part) for option, value in options.items() if value is not None for part in (option, value)]
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--no-control-socket", *arguments, app])  # noqa: S606
