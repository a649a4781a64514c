"""What is sent and what is answered about API keys, and the audit log."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import marshmallow as ma

from loyalty_common import fields
from loyalty_common.pagination import ListQuery
from loyalty_gateway.domain.actors import ACTOR_TYPES
from loyalty_gateway.domain.key_rules import STATUSES
from loyalty_gateway.domain.scopes import ALL_SCOPES, in_order
from loyalty_gateway.models.base import MODES

_MOST_NETWORKS = 100
_LONGEST_OVERLAP_H = 168


class Scopes(fields.Field):
    """Names of scopes, at least one."""

    openapi = {  # noqa: RUF012
        "type": "array",
        "minItems": 1,
        "maxItems": len(ALL_SCOPES),
        "items": {"type": "string", "enum": list(ALL_SCOPES)},
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list) or not 1 <= len(value) <= len(ALL_SCOPES):
            raise ma.ValidationError(f"The :field field must be a list of 1 to {len(ALL_SCOPES)} scopes.")
        unknown = [position for position, scope in enumerate(value) if scope not in ALL_SCOPES]
        if unknown:
            sentence = f"The scope is unknown; known are {', '.join(ALL_SCOPES)}."
            raise ma.ValidationError({position: [sentence] for position in unknown})
        return in_order(value)


class Networks(fields.Field):
    """IPv4 and IPv6 networks or addresses; comes out as networks without a doubled one."""

    openapi = {  # noqa: RUF012
        "type": "array",
        "maxItems": _MOST_NETWORKS,
        "items": {"type": "string", "examples": ["203.0.113.0/24", "2001:db8::/48"]},
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > _MOST_NETWORKS:
            raise ma.ValidationError(f"The :field field must be a list of at most {_MOST_NETWORKS} networks.")
        networks, wrong = [], {}
        for position, text in enumerate(value):
            try:
                if not isinstance(text, str) or "%" in text:
                    raise ValueError
                networks.append(str(ip_network(text.strip())))
            except ValueError:
                wrong[position] = ["The network must be an address or a network such as 203.0.113.0/24."]
        if wrong:
            raise ma.ValidationError(wrong)
        return list(dict.fromkeys(networks))


class ApiKeyFields(fields.Schema):
    name = fields.Text(required=True)
    mode = fields.Choice(*MODES, metadata={"description": "At most the caller's, which it is if left out."})
    scopes = Scopes(metadata={"description": "At most the caller's, which they are if left out."})
    allowed_cidrs = Networks(load_default=list, metadata={"description": "Empty: every address."})
    expires_at = fields.Timestamp(metadata={"description": "Never if left out."})


class ApiKeyChanges(fields.Changes):
    name = fields.Text(required=True)
    scopes = Scopes(required=True)
    allowed_cidrs = Networks(load_default=list)
    expires_at = fields.Timestamp()


class Rotation(fields.Schema):
    may_be_absent = True

    overlap_hours = fields.Integer(
        minimum=0,
        maximum=_LONGEST_OVERLAP_H,
        load_default=24,
        metadata={"description": "For how long the old key goes on; 0 ends it at once."},
    )


class ApiKeyQuery(ListQuery):
    status = fields.Choice(*STATUSES)
    mode = fields.Choice(*MODES)


class Actor(ma.Schema):
    type = ma.fields.String(required=True, metadata={"enum": list(ACTOR_TYPES)})
    id = ma.fields.Integer(required=True, allow_none=True)
    name = ma.fields.String(required=True)


class ApiKey(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    mode = ma.fields.String(required=True, metadata={"enum": list(MODES)})
    key_hint = ma.fields.String(required=True)
    scopes = ma.fields.List(ma.fields.String(), required=True)
    allowed_cidrs = ma.fields.List(ma.fields.String(), required=True)
    status = ma.fields.String(required=True, metadata={"enum": list(STATUSES)})
    created_by = ma.fields.Nested(Actor, required=True)
    created_at = ma.fields.DateTime(required=True)
    last_used_at = ma.fields.DateTime(required=True, allow_none=True)
    expires_at = ma.fields.DateTime(required=True, allow_none=True)
    revoked_at = ma.fields.DateTime(required=True, allow_none=True)
    replaced_by_id = ma.fields.Integer(required=True, allow_none=True)


class NewApiKey(ApiKey):
    key = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Shown once; null when the answer is repeated."}
    )


class RotatedApiKey(NewApiKey):
    replaces = ma.fields.Nested(ApiKey, required=True)
