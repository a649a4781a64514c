"""What is sent and what is answered about endpoints."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from loyalty_common import fields
from loyalty_common.pagination import ListQuery
from loyalty_webhooks.events import EVENT_NAMES, EVERY_EVENT

_NAMES = (EVERY_EVENT, *EVENT_NAMES)


class EventNames(fields.Field):
    """Names of events, or ``["*"]`` for all there are and will be."""

    openapi = {  # noqa: RUF012
        "type": "array",
        "minItems": 1,
        "maxItems": len(_NAMES),
        "items": {"type": "string", "enum": list(_NAMES)},
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list) or not 1 <= len(value) <= len(_NAMES):
            raise ma.ValidationError(f"The :field field must be a list of 1 to {len(_NAMES)} event names.")
        unknown = [position for position, name in enumerate(value) if name not in _NAMES]
        if unknown:
            sentence = f"The event is unknown; known are {', '.join(_NAMES)}."
            raise ma.ValidationError({position: [sentence] for position in unknown})
        return list(dict.fromkeys(value))


class WebhookEndpointFields(fields.Schema):
    url = fields.Text(
        required=True,
        max_length=2048,
        metadata={
            "format": "uri",
            "examples": ["https://hooks.example.com/loyalty"],
            "description": "https, at a host all of whose addresses are public.",
        },
    )
    events = EventNames(load_default=lambda: [EVERY_EVENT])
    description = fields.Text(metadata={"examples": ["Back office"]})
    is_active = fields.Flag(load_default=True)
    max_in_flight = fields.Integer(
        maximum=32, load_default=32, metadata={"description": "Requests that may be under way at once."}
    )
    rate_limit_per_second = fields.Integer(
        maximum=1000, metadata={"description": "Requests that may begin within a second; null for no such limit."}
    )


class WebhookEndpointChanges(fields.Changes, WebhookEndpointFields):
    """Any of the settings; null means the default."""


class WebhookEndpointQuery(ListQuery):
    is_active = fields.Choice("true", "false")


class WebhookEndpoint(ma.Schema):
    id = ma.fields.Integer(required=True, metadata={"examples": [5]})
    url = ma.fields.String(required=True, metadata={"examples": ["https://hooks.example.com/loyalty"]})
    description = ma.fields.String(required=True, allow_none=True, metadata={"examples": ["Back office"]})
    events = ma.fields.List(
        ma.fields.String(), required=True, metadata={"examples": [["loyalty.points_earned", "voucher.redeemed"]]}
    )
    is_active = ma.fields.Boolean(required=True, metadata={"examples": [True]})
    status = ma.fields.String(
        required=True,
        metadata={
            "enum": ["active", "paused", "blocked", "disabled"],
            "description": "paused by you, blocked for a while because it fails, disabled by us.",
        },
    )
    disabled_reason = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"enum": ["gone", "failing", None], "description": "Why we disabled it."},
    )
    disabled_at = ma.fields.DateTime(required=True, allow_none=True)
    max_in_flight = ma.fields.Integer(required=True, metadata={"examples": [32]})
    rate_limit_per_second = ma.fields.Integer(required=True, allow_none=True)
    signing_secret_hint = ma.fields.String(required=True, metadata={"examples": ["whsec_…Wq8="]})
    previous_secret_expires_at = ma.fields.DateTime(
        required=True, allow_none=True, metadata={"description": "The end of the last rotation's overlap."}
    )
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


class NewWebhookEndpoint(WebhookEndpoint):
    signing_secret = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Shown once; null when the answer is repeated."}
    )


class DeletedWebhookEndpoint(ma.Schema):
    id = ma.fields.Integer(required=True)
    deleted_at = ma.fields.DateTime(required=True)
