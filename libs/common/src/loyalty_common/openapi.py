"""OpenAPI 3.1 by flask-smorest, with the suite's envelopes, errors and route metadata.

``x-loyalty`` on an operation is what the gateway routes by: scope, class (read, write or files) and timeout; where it
is not as usual, also who may call and the role that a signed-in user needs.
"""

from __future__ import annotations

import functools
import http
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import flask_smorest
import marshmallow as ma
from flask import Flask, Response
from marshmallow import fields

from loyalty_common import envelope
from loyalty_common.fields import EMPTY_IS_NULL
from loyalty_common.fields import Schema as Fields
from loyalty_common.web import IdentifierConverter, StrictParser

_View = TypeVar("_View", bound=Callable[..., Any])
_SchemaClass = type[ma.Schema]
_ERRORS = (400, 401, 403, 404, 405, 413, 415, 429, 500, 502, 503, 504)
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "Repeating a request with the same key repeats its answer, never its effect. Kept for 7 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


class Warning(ma.Schema):
    field = fields.String(required=True)
    message = fields.String(required=True)


class Meta(ma.Schema):
    request_id = fields.String(required=True)
    duplicate = fields.Boolean(metadata={"description": "This reference was recorded before; data is the original."})
    reversed = fields.Boolean(metadata={"description": "The original was reversed since."})
    warnings = fields.List(fields.Nested(Warning))
    unavailable = fields.List(
        fields.String(), metadata={"description": "Of a wallet: services that did not answer, whose part is empty."}
    )


class ListMeta(Meta):
    current_page = fields.Integer(required=True, allow_none=True)
    last_page = fields.Integer(required=True, allow_none=True)
    per_page = fields.Integer(required=True)
    total = fields.Integer(required=True, allow_none=True)


class Links(ma.Schema):
    first = fields.String(required=True)
    last = fields.String(required=True, allow_none=True)
    prev = fields.String(required=True, allow_none=True)
    next = fields.String(required=True, allow_none=True)


class ErrorBody(ma.Schema):
    code = fields.String(required=True)
    message = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    details = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)


class Error(ma.Schema):
    error = fields.Nested(ErrorBody, required=True)
    meta = fields.Nested(Meta, required=True)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest is untyped
    ARGUMENTS_PARSER = StrictParser()

    def route(self, rule: str, *, methods: list[str]) -> Callable[[_View], _View]:
        decorate: Callable[[_View], _View] = super().route(rule, methods=methods)
        return decorate

    def operation(
        self,
        scope: str | None,
        *,
        answers: Mapping[int, _SchemaClass],
        body: type[Fields] | None = None,
        query: _SchemaClass | None = None,
        many: bool = False,
        timeout_s: int = 10,
        **who: str,
    ) -> Callable[[_View], _View]:
        """Describe a public operation and read what it is sent.

        ``answers`` maps a status to the schema of ``data`` (``many``: a plain list of it); ``body`` or ``query``
        is read strictly and handed to the view as its first argument, a dict. ``who`` where it is not whoever has the
        scope: ``role``, the least one that opens it to a signed-in user; ``caller``, ``anyone`` or ``session``, whose
        credentials the operation judges by itself.
        """

        def decorate(view: _View) -> _View:
            wrapped: Any = view
            for status, schema in answers.items():
                wrapped = self.response(status, _enveloped(schema, many=many))(wrapped)
            # Instances: webargs would make one of a class at every request, and copy all of its fields.
            if body is not None:
                wrapped = self.arguments(body(), location="json", required=not body.may_be_absent)(wrapped)
            if query is not None:
                wrapped = self.arguments(query(), location="query")(wrapped)
            return self.doc(**{"x-loyalty": {"scope": scope, "timeout_s": timeout_s, **who}})(wrapped)  # type: ignore[no-any-return]

        return decorate

    def download(
        self, scope: str, *, media_types: Sequence[str], query: _SchemaClass | None = None, timeout_s: int = 10
    ) -> Callable[[_View], _View]:
        """Describe an answer that is no JSON but a file of one of ``media_types``."""

        def decorate(view: _View) -> _View:
            content = {media_type: {"schema": {"type": "string"}} for media_type in media_types}
            wrapped: Any = self.doc(responses={"200": {"description": "OK", "content": content}})(view)
            if query is not None:
                wrapped = self.arguments(query(), location="query")(wrapped)
            return self.doc(**{"x-loyalty": {"scope": scope, "timeout_s": timeout_s, "class": "files"}})(wrapped)  # type: ignore[no-any-return]

        return decorate

    def listing(self, scope: str, *, of: _SchemaClass, query: _SchemaClass, **who: str) -> Callable[[_View], _View]:
        """Describe a list that pages; ``query`` extends ``pagination.ListQuery``."""

        def decorate(view: _View) -> _View:
            wrapped = self.response(200, _page(of))(view)
            wrapped = self.arguments(query(), location="query")(wrapped)
            return self.doc(**{"x-loyalty": {"scope": scope, "timeout_s": 10, **who}})(wrapped)  # type: ignore[no-any-return]

        return decorate


def create_api(app: Flask, *, title: str) -> flask_smorest.Api:
    """The service's document, also at ``/openapi.json``. Call after ``web.install``."""
    app.config |= {"API_TITLE": title, "API_VERSION": "v1", "OPENAPI_VERSION": "3.1.0"}
    api = flask_smorest.Api()
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    api.ERROR_SCHEMA = Error
    api.register_converter(IdentifierConverter, lambda _: {"type": "integer", "minimum": 1, "maximum": 10**18 - 1})
    # Errors are rendered by web.install alone: flask-smorest would register a second renderer.
    api._register_error_handlers = lambda: None
    api.init_app(app)
    app.add_url_rule(
        "/openapi.json", "openapi", lambda: Response(envelope.dumps(document(api)), content_type="application/json")
    )
    return api


def document(api: flask_smorest.Api) -> dict[str, Any]:
    """The whole document: every operation has its errors, every POST the Idempotency-Key header."""
    if "Error" not in api.spec.components.schemas:
        api.spec.components.schema("Error", schema=Error)
    spec: dict[str, Any] = _tidied(api.spec.to_dict())
    for path in spec["paths"].values():
        for method, operation in path.items():
            if not isinstance(operation, dict) or "x-loyalty" not in operation:
                continue
            operation["x-loyalty"].setdefault("class", "read" if method == "get" else "write")
            for parameter in operation.get("parameters", []):
                # null is a value of JSON bodies; a query string has none.
                for schema in [parameter["schema"], *parameter["schema"].get("anyOf", [])]:
                    for key in schema.keys() & {"type", "enum"}:
                        schema[key] = _not_null(schema[key])
            if method == "post":
                operation["parameters"] = [*operation.get("parameters", []), _IDEMPOTENCY_KEY]
            operation["responses"] |= {str(status): _error_response(status) for status in _ERRORS}
    return spec


def _tidied(node: Any) -> Any:
    """Says what ``fields.Field`` does with nothing: null and leaving out are one, an empty string is null."""
    if isinstance(node, list):
        return [_tidied(below) for below in node]
    if not isinstance(node, dict):
        return node
    # A document full of ``default: null`` says nothing.
    tidied = {key: _tidied(below) for key, below in node.items() if (key, below) != ("default", None)}
    if tidied.pop(EMPTY_IS_NULL, False) and tidied.keys() & {"format", "pattern", "enum", "anyOf"}:
        kept = {key: tidied.pop(key) for key in ("description", "default") if key in tidied}
        return {"anyOf": [*tidied.get("anyOf", [tidied]), {"enum": ["", None]}], **kept}
    return tidied


def _not_null(choices: Any) -> Any:
    """Of a ``type`` or an ``enum`` what is left without null."""
    if not isinstance(choices, list):
        return choices
    return [choice for choice in choices if choice not in (None, "null")]


def _error_response(status: int) -> dict[str, Any]:
    return {
        "description": http.HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


@functools.cache
def _enveloped(schema: _SchemaClass, *, many: bool) -> _SchemaClass:
    data: fields.Field[Any] = fields.Nested(schema, required=True)
    if many:
        data = fields.List(fields.Nested(schema), required=True)
    name = f"{schema.__name__}{'List' if many else ''}Answer"
    return ma.Schema.from_dict({"data": data, "meta": fields.Nested(Meta, required=True)}, name=name)


@functools.cache
def _page(schema: _SchemaClass) -> _SchemaClass:
    return ma.Schema.from_dict(
        {
            "data": fields.List(fields.Nested(schema), required=True),
            "meta": fields.Nested(ListMeta, required=True),
            "links": fields.Nested(Links, required=True),
        },
        name=f"{schema.__name__}Page",
    )
