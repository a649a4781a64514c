"""Which calls of the public API were answered with success in this run of tests.

Of a service in the tests' own process Flask tells it, of a suite of processes the ``Integrator``. What a program tries
by itself, as schemathesis does with every operation, is nobody's test and is not counted.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request, request_finished

_PREFIX = "/v1"
answered: set[tuple[str, str]] = set()
"""Method and path below the prefix, without its query."""


def note(method: str, path: str, *, status: int) -> None:
    if 200 <= status < 300:
        answered.add((method, path.partition("?")[0]))


def listen() -> None:
    """From now on to every Flask application of ours; a stand-in that a test made answers what it was told to."""
    request_finished.connect(_note_finished)


def _note_finished(app: Flask, *, response: Response, **_: Any) -> None:
    if app.import_name.startswith("loyalty_") and request.path.startswith(f"{_PREFIX}/"):
        note(request.method, request.path.removeprefix(_PREFIX), status=response.status_code)
