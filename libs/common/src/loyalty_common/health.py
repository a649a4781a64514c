"""``/livez`` does no I/O; ``/readyz`` names each dependency and its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import structlog
from flask import Blueprint, Response
from sqlalchemy import Engine, text

from loyalty_common import envelope

_log = structlog.get_logger()
Check = Callable[[], None]


class SchemaBehind(Exception):
    """The database lacks a migration of this code, which a release starts at the same moment."""


def database_check(engine: Engine, migrations: Path) -> Check:
    """``migrations`` is the package's folder. A schema that is newer than the code is well."""
    needed = max(script.name.partition("_")[0] for script in migrations.glob("versions/[0-9]*.py"))

    def check() -> None:
        with engine.connect() as connection:
            found = connection.execute(text("select version_num from alembic_version")).scalar_one()
        if found < needed:
            raise SchemaBehind(f"at {found}, not yet at {needed}")

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
