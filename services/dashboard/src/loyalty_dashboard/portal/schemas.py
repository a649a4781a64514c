"""JSON Schema as the OpenAPI writes it, read for people: which fields there are, of what kind, within which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_REFERENCE = "#/components/schemas/"
_DEEPEST = 4  # Objects within objects; nothing of ours goes deeper, and a schema that names itself must end.

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """A field of a body, or a parameter; ``fields`` are those of an object, or of each object in a list."""

    name: str
    kind: str
    required: bool
    nullable: bool
    description: str
    bounds: tuple[str, ...]
    choices: tuple[str, ...]
    default: Any
    fields: tuple[Field, ...]


class Schemas:
    """The named schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._named: Mapping[str, Schema] = document.get("components", {}).get("schemas", {})

    def resolved(self, schema: Schema) -> Schema:
        """What ``schema`` means: references followed, and of alternatives the one that is a value."""
        while key := next((key for key in ("$ref", "anyOf", "oneOf") if key in schema), None):
            beside = {name: value for name, value in schema.items() if name != key}
            if key == "$ref":
                meant = self._named.get(schema[key].removeprefix(_REFERENCE), {})
            else:
                meant = next(each for each in schema[key] if not _is_nothing(each))
            schema = {**meant, **beside}
        return schema

    def fields(self, schema: Schema, *, depth: int = 0) -> tuple[Field, ...]:
        """Of an object in the order of the document, what is required first; of anything else none."""
        schema = self.resolved(schema)
        required = set(schema.get("required", ()))
        found = [
            self.field(name, inner, required=name in required, depth=depth)
            for name, inner in schema.get("properties", {}).items()
        ]
        return tuple(sorted(found, key=lambda field: not field.required))

    def field(self, name: str, schema: Schema, *, required: bool, depth: int = 0) -> Field:
        meant = self.resolved(schema)
        items = self.resolved(meant["items"]) if "items" in meant else meant
        return Field(
            name=name,
            kind=_kind(meant, items),
            required=required,
            nullable="null" in _types(meant) or any(map(_is_nothing, _alternatives(schema))),
            description=meant.get("description", ""),
            bounds=tuple(_bounds(meant)),
            choices=tuple(str(choice) for choice in items.get("enum", ()) if choice not in ("", None)),
            default=meant.get("default"),
            fields=self.fields(items, depth=depth + 1) if depth < _DEEPEST else (),
        )


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _alternatives(schema: Schema) -> list[Schema]:
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def _is_nothing(schema: Schema) -> bool:
    """Whether it is the alternative that only says that a field may be empty."""
    return schema.get("type") == "null" or (bool(schema.get("enum")) and set(schema["enum"]) <= {"", None})


def _kind(schema: Schema, items: Schema) -> str:
    types = [each for each in _types(schema) if each != "null"]
    if "array" in types:
        return f"list of {_kind(items, items)}s"
    if types == ["number", "string"]:
        return "decimal"
    if types == ["string"]:
        return {"date-time": "time", "date": "date", "email": "email", "uri": "url", "uuid": "uuid"}.get(
            schema.get("format", ""), "string"
        )
    return types[0] if types else "string" if "enum" in schema else "object"


def _bounds(schema: Schema) -> Iterator[str]:
    """Sentences without a verb; bounds that only keep out what no database could hold are left out."""
    if "maxLength" in schema and not schema.keys() & {"enum", "pattern"}:
        yield f"at most {schema['maxLength']:,} characters"
    if "exclusiveMinimum" in schema:
        yield f"more than {schema['exclusiveMinimum']:,}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None and high > 10**15:
        high = None
    if low is not None and high is not None:
        yield f"{low:,} to {high:,}"
    elif low not in (None, 1):
        yield f"at least {low:,}"
    elif high is not None:
        yield f"at most {high:,}"
    for kind, noun in (("Items", "entries"), ("Properties", "entries")):
        if f"max{kind}" in schema:
            yield f"at most {schema[f'max{kind}']:,} {noun}"
