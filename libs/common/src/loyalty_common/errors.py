"""What a caller can be told, as a tree; rendered in one place (``envelope.failure``).

ApiError
├── ValidationFailed        400 validation_error     the fields, or (reason set) a rule that refused
│   └── Refusal             400 validation_error     base of the services' own refusals, one class per rule
├── MalformedJson           400 malformed_json
├── Unauthenticated         401 unauthenticated
├── Forbidden               403 forbidden
├── NotFound                404 not_found
├── MethodNotAllowed        405 method_not_allowed
├── PayloadTooLarge         413 payload_too_large
├── UnsupportedMediaType    415 unsupported_media_type
├── RateLimited             429 rate_limited
├── ServerError             500 server_error
└── Unavailable             503 unavailable          also 502 and 504
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

Details = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """``details`` maps the offending request field to sentences; ``reason`` is the stable, fine cause."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "server_error"
    default_message: ClassVar[str] = "Something went wrong on our side."
    reason: str | None = None

    def __init__(
        self,
        message: str | None = None,
        *,
        reason: str | None = None,
        details: Details | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or self.default_message)
        self.message = message or self.default_message
        self.reason = reason or type(self).reason
        self.details: Details = details or {}
        self.headers: Mapping[str, str] = headers or {}


class ValidationFailed(ApiError):
    status = 400
    code = "validation_error"
    default_message = "The given data was invalid."


class Refusal(ValidationFailed):
    """A business rule said no. Subclasses set ``reason`` and are named after the rule."""


class IdempotencyKeyReused(Refusal):
    reason = "idempotency_key_reused"
    default_message = "This Idempotency-Key was already used for another request."


class InvalidCursor(ValidationFailed):
    reason = "invalid_cursor"
    default_message = "This cursor is not one of ours."


class MalformedJson(ApiError):
    status = 400
    code = "malformed_json"
    default_message = "The body is not valid JSON."


class Unauthenticated(ApiError):
    status = 401
    code = "unauthenticated"
    default_message = "The API key is missing or not valid."


class Forbidden(ApiError):
    status = 403
    code = "forbidden"
    default_message = "This key may not do that."


class NotFound(ApiError):
    status = 404
    code = "not_found"
    default_message = "The resource does not exist."


class MethodNotAllowed(ApiError):
    status = 405
    code = "method_not_allowed"
    default_message = "This method is not allowed here."


class PayloadTooLarge(ApiError):
    status = 413
    code = "payload_too_large"
    default_message = "The body is larger than 1 MiB."


class UnsupportedMediaType(ApiError):
    status = 415
    code = "unsupported_media_type"
    default_message = "The body must be sent as application/json."


class RateLimited(ApiError):
    status = 429
    code = "rate_limited"
    default_message = "Too many requests: retry later, with exponential backoff."


class RequestInProgress(RateLimited):
    reason = "request_in_progress"
    default_message = "The first request with this key or on this object is still running."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class ServerError(ApiError):
    pass


class Unavailable(ApiError):
    """A part of the suite is down or slow; the caller should come again."""

    status = 503
    code = "unavailable"
    default_message = "This part of the service is not available at the moment."

    def __init__(self, message: str | None = None, *, retry_after_s: int = 1) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_s)})


class BadGateway(Unavailable):
    status = 502
    default_message = "The service behind this path answered in a way that makes no sense."


class GatewayTimeout(Unavailable):
    status = 504
    default_message = "The service behind this path did not answer in time."
