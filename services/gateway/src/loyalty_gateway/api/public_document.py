"""One OpenAPI document for integrators, out of those of the services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loyalty_gateway.api.contracts import SERVICE_PREFIX, public_operations
from loyalty_gateway.domain import roles

_SECURITY_SCHEMES = {
    "api_key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "lpk_…",
        "description": "An API key. The name beside it in an operation's `security` is the scope that it must have.",
    },
    "session": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "lps_…",
        "description": "A session of a signed-in user. The name beside it in an operation's `security` is the least "
        "role that the user must have: staff, manager or owner.",
    },
}
_REFERENCE = "#/components/"

Names = Mapping[tuple[str, str], str]


def merge(documents: Mapping[str, Any], *, server_url: str) -> dict[str, Any]:
    """Every public operation once, below ``server_url``; names that two services use differently get the service's."""
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {"securitySchemes": _SECURITY_SCHEMES}
    renamed = {service: _new_names(service, documents) for service in documents}
    for service, document in documents.items():
        for (section, name), component in _components(document):
            target = renamed[service].get((section, name), name)
            components.setdefault(section, {})[target] = _rewritten(component, renamed[service])
    for operation_id, (service, method, path, spec) in _with_ids(documents):
        public = {key: _rewritten(value, renamed[service]) for key, value in spec.items() if key != "x-loyalty"}
        public |= {"operationId": operation_id, "security": _security(spec["x-loyalty"])}
        item = paths.setdefault("/" + path.removeprefix(SERVICE_PREFIX), {})
        item[method.lower()] = public
        if "parameters" in documents[service]["paths"][path]:
            item["parameters"] = _rewritten(documents[service]["paths"][path]["parameters"], renamed[service])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Loyalty Partner API", "version": "v1"},
        "servers": [{"url": server_url}],
        "tags": _tags(documents),
        "paths": dict(sorted(paths.items())),
        "components": components,
    }


def _tags(documents: Mapping[str, Any]) -> list[dict[str, str]]:
    """In the order of the services and of their documents; of two with one name the first has described it."""
    tags: dict[str, dict[str, str]] = {}
    for document in documents.values():
        for tag in document.get("tags", ()):
            tags.setdefault(tag["name"], tag)
    return list(tags.values())


def _security(rules: Mapping[str, Any]) -> list[dict[str, list[str]]]:
    caller = rules.get("caller")
    if caller == "anyone":
        return []
    session = {"session": [roles.least(rules["scope"], rules.get("role"))]}
    return [session] if caller == "session" else [{"api_key": [rules["scope"]]}, session]


def _with_ids(documents: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each operation with an id that no other has: its own, or one made of method and path."""
    seen: set[str] = set()
    for operation in public_operations(documents):
        words = operation.path.removeprefix(SERVICE_PREFIX).replace("{", "").replace("}", "")
        made = "_".join([operation.method.lower(), *words.replace("-", "_").split("/")])
        chosen = operation.spec.get("operationId", made)
        chosen = made if chosen in seen else chosen
        seen.add(chosen)
        yield chosen, operation


def _components(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for section, components in document.get("components", {}).items():
        if section != "securitySchemes":
            for name, component in components.items():
                yield (section, name), component


def _new_names(service: str, documents: Mapping[str, Any]) -> Names:
    own = dict(_components(documents[service]))
    others = [dict(_components(document)) for name, document in documents.items() if name != service]
    conflicting = {
        key for key, component in own.items() if any(component != other.get(key, component) for other in others)
    }
    # What refers to a conflicting name differs too, even where the text is the same.
    while grown := {
        key
        for key, component in own.items()
        if key not in conflicting
        and any(key in other for other in others)
        and any(reference in conflicting for reference in _references(component))
    }:
        conflicting |= grown
    return {(section, name): f"{service.capitalize()}{name}" for section, name in conflicting}


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str) and reference.startswith(_REFERENCE):
            section, _, name = reference.removeprefix(_REFERENCE).partition("/")
            yield section, name
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _rewritten(value: Any, names: Names) -> Any:
    if isinstance(value, list):
        return [_rewritten(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    rewritten = {key: _rewritten(inner, names) for key, inner in value.items()}
    if isinstance(reference := value.get("$ref"), str) and reference.startswith(_REFERENCE):
        section, _, name = reference.removeprefix(_REFERENCE).partition("/")
        rewritten["$ref"] = f"{_REFERENCE}{section}/{names.get((section, name), name)}"
    return rewritten
