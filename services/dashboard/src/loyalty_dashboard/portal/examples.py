"""Requests that were really made, with what was really answered: ``contracts/examples``.

A chapter is a file; they are read in the order of their names, and tell one story from the first request to the last:
a test plays them all to the running suite. An operation that they do not know yet gets an example made of its schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loyalty_dashboard.portal import literals
from loyalty_dashboard.portal.operations import JSON, Operation
from loyalty_dashboard.portal.schemas import Schema, Schemas

BASE_URL = "https://api.example.com/api/v1"
"""What stands in the files where an answer names the API itself."""

FILES = {"text/csv": "customers.csv", "application/x-ndjson": "customers.ndjson"}


@dataclass(frozen=True)
class Example:
    """``operation`` by its name, ``POST /customers``; ``answer`` is JSON, or the text of a file of ``answer_type``.

    ``body`` is JSON too, or the text of a file of ``media_type``. ``played`` is false of what no suite answered.
    """

    operation: str
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    media_type: str = JSON
    status: int = 200
    answer: Any = None
    answer_type: str = JSON
    played: bool = True

    @property
    def file(self) -> str | None:
        """The name of the file that is sent instead of JSON."""
        return FILES.get(self.media_type)


def chapters(folder: Path) -> Iterator[tuple[Path, list[Example]]]:
    for path in sorted(folder.glob("*.json")):
        yield path, [Example(**step) for step in literals.read_json(path.read_text(encoding="utf-8"))]


def first_of_each(folder: Path) -> dict[str, Example]:
    """By name of the operation; what comes again in the story is there for the story only."""
    found: dict[str, Example] = {}
    for _, steps in chapters(folder):
        for step in steps:
            found.setdefault(step.operation, step)
    return found


def at(base_url: str, answer: Any) -> Any:
    """``answer`` as the API at ``base_url`` gives it."""
    if isinstance(answer, str):
        return answer.replace(BASE_URL, base_url)
    if isinstance(answer, list):
        return [at(base_url, each) for each in answer]
    if isinstance(answer, dict):
        return {key: at(base_url, each) for key, each in answer.items()}
    return answer


def composed(operation: Operation, schemas: Schemas) -> Example:
    """Made of the schema alone, for an operation whose story has not been told."""
    status = max(operation.answers, default=200)
    kinds = operation.answers.get(status, {})
    answer_type = next(iter(kinds), JSON)
    return Example(
        operation=operation.name,
        path={each.name: 1 if each.kind == "integer" else f"{{{each.name}}}" for each in operation.path_parameters},
        query={each.name: each.default or "…" for each in operation.filters if each.required},
        body=_value(schemas, operation.body, required_only=True) if operation.body_required else None,
        media_type=next(iter(operation.media_types), JSON),
        status=status,
        answer=_value(schemas, kinds[answer_type]) if answer_type == JSON and kinds else "…",
        answer_type=answer_type,
        played=False,
    )


def _value(schemas: Schemas, schema: Schema | None, *, required_only: bool = False, depth: int = 0) -> Any:
    meant = schemas.resolved(schema or {})
    given = [*meant.get("examples", ()), *(meant[key] for key in ("example", "default", "const") if key in meant)]
    choices = [choice for choice in meant.get("enum", ()) if choice not in ("", None)]
    if given or choices:
        return [*given, *choices][0]
    types = meant.get("type", "object")
    kind = types if isinstance(types, str) else next((each for each in types if each != "null"), "string")
    if kind == "object":
        names = meant.get("required", ()) if required_only else meant.get("properties", {})
        inner = meant.get("properties", {})
        return {name: _value(schemas, inner.get(name), depth=depth + 1) for name in names} if depth < 8 else {}
    if kind == "array":
        return [_value(schemas, meant.get("items"), depth=depth + 1)] if depth < 8 else []
    return {"integer": 1, "number": 1, "boolean": True}.get(kind, _TEXTS.get(meant.get("format", ""), "string"))


_TEXTS = {
    "date": "2026-05-16",
    "date-time": "2026-05-16T10:00:00+00:00",
    "email": "alex@example.com",
    "uri": "https://example.com",
    "uuid": "550e8400-e29b-41d4-a716-446655440000",
}
