"""All operations as a Postman collection, v2.1: one folder for a group, two variables for what the reader has."""

from __future__ import annotations

from typing import Any

from loyalty_dashboard.portal import literals
from loyalty_dashboard.portal.documentation import Documentation, shown
from loyalty_dashboard.portal.operations import JSON, Operation

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def collection(documentation: Documentation) -> str:
    return literals.as_json(
        {
            "info": {"name": documentation.document["info"]["title"], "schema": _SCHEMA},
            "auth": _bearer("api_key"),
            "variable": [
                {"key": "base_url", "value": documentation.base_url},
                {"key": "api_key", "value": "", "type": "secret"},
                {"key": "session_token", "value": "", "type": "secret"},
            ],
            "item": [
                {"name": group.title, "item": [_item(documentation, operation) for operation in group.operations]}
                for group in documentation.groups
            ],
        }
    )


def _item(documentation: Documentation, operation: Operation) -> dict[str, Any]:
    request = _request(documentation, operation)
    example = documentation.example(operation)
    answer = {
        "name": f"{example.status}",
        "originalRequest": request,
        "code": example.status,
        "header": [{"key": "Content-Type", "value": example.answer_type}],
        "body": shown(example),
    }
    return {"name": operation.summary or operation.name, "request": request, "response": [answer]}


def _request(documentation: Documentation, operation: Operation) -> dict[str, Any]:
    example = documentation.example(operation)
    request: dict[str, Any] = {
        "method": operation.method,
        "description": operation.description,
        "header": [],
        "url": _url(operation, documentation),
    }
    if operation.callers and "api_key" not in operation.callers:
        request["auth"] = _bearer("session_token")
    elif not operation.callers:
        request["auth"] = {"type": "noauth"}
    if example.body is not None:
        request["header"] = [{"key": "Content-Type", "value": example.media_type}]
        text = example.body if example.file else literals.as_json(example.body)
        language = "json" if example.media_type == JSON else "text"
        request["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": language}}}
    return request


def _url(operation: Operation, documentation: Documentation) -> dict[str, Any]:
    example = documentation.example(operation)
    # Postman writes a parameter of the path as :name.
    segments = [
        f":{segment[1:-1]}" if segment.startswith("{") else segment for segment in operation.path.split("/")[1:]
    ]
    query = [
        {
            "key": field.name,
            "value": literals.plain(example.query.get(field.name, "")),
            "description": field.description,
            "disabled": field.name not in example.query,
        }
        for field in operation.query_parameters
    ]
    raw = "{{base_url}}/" + "/".join(segments)
    used = "&".join(f"{each['key']}={each['value']}" for each in query if not each["disabled"])
    return {
        "raw": f"{raw}?{used}" if used else raw,
        "host": ["{{base_url}}"],
        "path": segments,
        "query": query,
        "variable": [
            {"key": field.name, "value": str(example.path.get(field.name, "")), "description": field.description}
            for field in operation.path_parameters
        ],
    }


def _bearer(variable: str) -> dict[str, Any]:
    return {"type": "bearer", "bearer": [{"key": "token", "value": f"{{{{{variable}}}}}", "type": "string"}]}
