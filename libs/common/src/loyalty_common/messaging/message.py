"""One event on its way between services: the body of an AMQP message, an item of an HTTP batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import orjson

_KINDS: dict[str, type | tuple[type, ...]] = {
    "event": str,
    "publisher": str,
    "tenant_id": int,
    "version": (int, type(None)),
    "data": dict,
    "traceparent": (str, type(None)),
}


class MalformedMessage(Exception):
    """What arrived is no message of ours: poison, however often it is delivered."""


@dataclass(frozen=True, slots=True)
class Message:
    """``version`` is that of the subject after the change, where it has one (customers, partner locations).

    ``traceparent``: of the work that caused the event; a consumer's own, once one has begun with it.
    """

    id: UUID
    event: str
    publisher: str
    tenant_id: int
    version: int | None
    created_at: datetime
    data: dict[str, Any]
    traceparent: str | None = None

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise MalformedMessage(f"not JSON: {error}") from None
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """Reads parsed JSON. Keys it does not know are left alone: a later release may have added them."""
        if not isinstance(document, dict):
            raise MalformedMessage("not an object")
        for name, kind in _KINDS.items():
            if not isinstance(document.get(name), kind):
                raise MalformedMessage(f"{name} is missing or of the wrong kind")
        try:
            message_id, created_at = UUID(document["id"]), datetime.fromisoformat(document["created_at"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise MalformedMessage("id or created_at is missing or of the wrong kind") from None
        return cls(
            id=message_id,
            event=document["event"],
            publisher=document["publisher"],
            tenant_id=document["tenant_id"],
            version=document.get("version"),
            created_at=created_at,
            data=document["data"],
            traceparent=document.get("traceparent"),
        )
