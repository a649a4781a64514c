"""What is answered about deliveries and their attempts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from loyalty_common import fields
from loyalty_common.pagination import ListQuery
from loyalty_webhooks.domain.delivery_queries import STATUSES
from loyalty_webhooks.events import EVENT_NAMES

_STAGES = ["dns", "address", "connect", "tls", "send", "headers", "body", "deadline"]


class EventId(fields.Text):
    def __init__(self, **options: Any) -> None:
        pattern = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
        super().__init__(max_length=36, pattern=pattern, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:  # type: ignore[override]
        return UUID(super()._deserialize(value, attr, data, **kwargs))


class WebhookDeliveryQuery(ListQuery):
    endpoint_id = fields.Identifier()
    event = fields.Choice(*EVENT_NAMES)
    event_id = EventId()
    status = fields.Choice(*STATUSES)
    from_at = fields.Timestamp(data_key="from", metadata={"description": "Made then or later."})
    to_at = fields.Timestamp(data_key="to", metadata={"description": "Made before."})


class AttemptError(ma.Schema):
    stage = ma.fields.String(required=True, metadata={"enum": _STAGES, "examples": ["connect"]})
    message = ma.fields.String(
        required=True, metadata={"examples": ["The endpoint did not accept a connection within 3 s."]}
    )


class WebhookAttempt(ma.Schema):
    number = ma.fields.Integer(required=True, metadata={"examples": [1]})
    started_at = ma.fields.DateTime(required=True)
    duration_ms = ma.fields.Integer(required=True, metadata={"examples": [431]})
    status_code = ma.fields.Integer(
        required=True, allow_none=True, metadata={"examples": [503], "description": "Null where no status line came."}
    )
    error = ma.fields.Nested(
        AttemptError, required=True, allow_none=True, metadata={"description": "Null where the whole answer came."}
    )
    response_headers = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.String(),
        required=True,
        metadata={"examples": [{"retry-after": "5"}], "description": "Names in lower case, 4 KB of them."},
    )
    response_body = ma.fields.String(
        required=True, allow_none=True, metadata={"examples": ["busy"], "description": "The first 16 KB."}
    )
    response_truncated = ma.fields.Boolean(required=True, metadata={"examples": [False]})


class ListedWebhookDelivery(ma.Schema):
    id = ma.fields.Integer(required=True, metadata={"examples": [7001]})
    endpoint_id = ma.fields.Integer(required=True, metadata={"examples": [5]})
    event_id = ma.fields.UUID(required=True)
    event = ma.fields.String(required=True, metadata={"examples": ["loyalty.points_earned"]})
    sequence = ma.fields.Integer(required=True, metadata={"examples": [412]})
    trigger = ma.fields.String(required=True, metadata={"enum": ["event", "redelivery", "replay"]})
    status = ma.fields.String(required=True, metadata={"enum": list(STATUSES)})
    attempt_count = ma.fields.Integer(required=True, metadata={"examples": [2]})
    last_status_code = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "Of the latest attempt, null where it got none."}
    )
    next_attempt_at = ma.fields.DateTime(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    completed_at = ma.fields.DateTime(required=True, allow_none=True)


class WebhookDelivery(ListedWebhookDelivery):
    payload = ma.fields.String(
        required=True, metadata={"description": "The text that is signed and sent, to verify signatures with."}
    )
    attempts = ma.fields.List(ma.fields.Nested(WebhookAttempt), required=True)


class EndpointTestResult(ma.Schema):
    delivered = ma.fields.Boolean(required=True, metadata={"description": "Whether the receiver answered 2xx."})
    attempt = ma.fields.Nested(WebhookAttempt, required=True)
