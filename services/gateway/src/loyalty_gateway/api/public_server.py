"""How the public listener starts, and the one for forward-auth: the process becomes gunicorn with gevent workers.

Nothing is preloaded and nothing is imported before: a psycopg that was imported before gevent patched the standard
library waits for the database with the whole worker.
"""

from __future__ import annotations

import os
import sys

from loyalty_gateway.settings import Serve

# Long enough for the next request of a till, too short for idle connections to pile up. It also bounds how long a
# request's head may take.
_KEEP_ALIVE_S = 5


def serve(settings: Serve, *, app: str, bind: str) -> None:
    """Replace this process by ``app`` of ``loyalty_gateway.app``. Requests under way get 25 s on SIGTERM."""
    options = {
        "--bind": bind,
        "--workers": settings.workers,
        "--worker-class": "loyalty_gateway.api.worker.Worker",
        "--worker-connections": 10_000,
        "--keep-alive": _KEEP_ALIVE_S,
        "--graceful-timeout": 25,
        "--timeout": 60,
        "--log-level": "warning",
        # The services read 8,190 bytes; a rebuilt path may be longer than it came.
        "--limit-request-line": 7_000,
        # The fast parser was seen to accept a bare LF as the end of a line.
        "--http-parser": "python",
        # No header may set SCRIPT_NAME or PATH_INFO, and those with an underscore do not exist.
        "--forwarder-headers": "",
        "--header-map": "drop",
        "--forwarded-allow-ips": ",".join(str(network) for network in settings.forwarded_allow_ips),
    }
    arguments = [str(part) for option in options.items() for part in option]
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", *arguments, f"loyalty_gateway.app:{app}()"]
    os.execv(sys.executable, command)  # noqa: S606
