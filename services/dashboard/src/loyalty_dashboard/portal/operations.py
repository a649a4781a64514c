"""What the OpenAPI says of each operation, as the pages show it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from loyalty_dashboard.portal.schemas import Field, Schema, Schemas

METHODS = ("get", "post", "patch", "put", "delete")
JSON = "application/json"
LIST_PARAMETERS = frozenset({"page", "per_page", "cursor"})


@dataclass(frozen=True)
class Operation:
    """``callers``: what opens it, in the order of the document, of ``api_key`` and ``session``; none: anyone may call.

    ``scope`` is the key's, ``role`` the least one of a signed-in user. ``media_types`` are those of the body.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    callers: tuple[str, ...]
    scope: str | None
    role: str | None
    path_parameters: tuple[Field, ...]
    query_parameters: tuple[Field, ...]
    takes_idempotency_key: bool
    media_types: tuple[str, ...]
    body: Schema | None
    body_fields: tuple[Field, ...]
    body_required: bool
    answers: Mapping[int, Mapping[str, Schema]]
    errors: Mapping[int, str]

    @property
    def name(self) -> str:
        """As people say it: ``POST /customers``."""
        return f"{self.method} {self.path}"

    @property
    def anchor(self) -> str:
        return self.id.replace("_", "-")

    @property
    def is_list(self) -> bool:
        return any(parameter.name == "cursor" for parameter in self.query_parameters)

    @functools.cached_property
    def filters(self) -> tuple[Field, ...]:
        """Of a list its own parameters, without those that all lists have."""
        return tuple(field for field in self.query_parameters if not self.is_list or field.name not in LIST_PARAMETERS)


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation there is, by path, then in the order of ``METHODS``."""
    schemas = Schemas(document)
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                yield _operation(schemas, method.upper(), path, item[method], parameters)


def _operation(
    schemas: Schemas, method: str, path: str, spec: Mapping[str, Any], parameters: list[Mapping[str, Any]]
) -> Operation:
    callers = {caller: needs for choice in spec.get("security", ()) for caller, needs in choice.items()}
    content = spec.get("requestBody", {}).get("content", {})
    body = next((each.get("schema", {}) for each in content.values()), None)
    return Operation(
        id=spec["operationId"],
        method=method,
        path=path,
        tag=next(iter(spec.get("tags", ())), ""),
        summary=spec.get("summary", ""),
        description=spec.get("description", ""),
        callers=tuple(callers),
        scope=next(iter(callers.get("api_key", ())), None),
        role=next(iter(callers.get("session", ())), None),
        path_parameters=_parameters(schemas, parameters, "path"),
        query_parameters=_parameters(schemas, parameters, "query"),
        takes_idempotency_key=any(each["name"] == "Idempotency-Key" for each in parameters),
        media_types=tuple(content),
        body=body,
        body_fields=schemas.fields(body) if body is not None else (),
        body_required=spec.get("requestBody", {}).get("required", False),
        answers={
            int(status): {kind: each.get("schema", {}) for kind, each in answer.get("content", {}).items()}
            for status, answer in sorted(spec["responses"].items(), reverse=True)
            if status.startswith("2")
        },
        errors={
            int(status): answer.get("description", "")
            for status, answer in sorted(spec["responses"].items())
            if status.isdecimal() and int(status) >= 400
        },
    )


def _parameters(schemas: Schemas, parameters: list[Mapping[str, Any]], place: str) -> tuple[Field, ...]:
    return tuple(_parameter(schemas, each) for each in parameters if each["in"] == place)


def _parameter(schemas: Schemas, parameter: Mapping[str, Any]) -> Field:
    field = schemas.field(parameter["name"], parameter.get("schema", {}), required=parameter.get("required", False))
    # An address has no null: there the schema only says that nothing may stand behind the name.
    return replace(field, description=parameter.get("description") or field.description, nullable=False)
