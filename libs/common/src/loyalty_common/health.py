"""``/livez`` does no I/O; ``/readyz`` names each dependency and its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from flask import Blueprint, Response
from sqlalchemy import Engine, text

from loyalty_common import envelope

_log = structlog.get_logger()
Check = Callable[[], None]


def database_check(engine: Engine) -> Check:
    def check() -> None:
        with engine.connect() as connection:
            connection.execute(text("select 1"))

    return check


def blueprint(checks: Mapping[str, Check]) -> Blueprint:
    """``checks`` maps a dependency's name to a function that raises when it is away."""
    health = Blueprint("health", __name__)

    @health.get("/livez")
    def live() -> Response:
        return Response(b'{"status":"ok"}', content_type="application/json")

    @health.get("/readyz")
    def ready() -> Response:
        states = {name: _state(name, check) for name, check in checks.items()}
        ok = all(state == "ok" for state in states.values())
        body = envelope.dumps({"status": "ok" if ok else "unavailable", "dependencies": states})
        return Response(body, 200 if ok else 503, content_type="application/json")

    return health


def _state(name: str, check: Check) -> str:
    try:
        check()
    except Exception as error:
        _log.warning("dependency_away", dependency=name, error=str(error))
        return "unavailable"
    return "ok"
