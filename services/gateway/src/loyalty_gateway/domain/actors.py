"""Who does something: an API key, a user who signed in, or the suite itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from loyalty_gateway.models import ApiKey, User

API_KEY, USER, SYSTEM = ACTOR_TYPES = ("api_key", "user", "system")


@dataclass(frozen=True, slots=True)
class Actor:
    """``name`` as it was when it happened; ``id`` is null only for the system."""

    type: str
    id: int | None
    name: str

    def shape(self) -> dict[str, Any]:
        return asdict(self)


OPERATOR = Actor(SYSTEM, None, "Operator")
"""Whoever types a command on our side."""


def find(connection: Connection, *, actor_type: str, actor_id: int) -> Actor:
    """The caller that an identity names, who exists."""
    kind: type[ApiKey | User] = ApiKey if actor_type == API_KEY else User
    return Actor(actor_type, actor_id, connection.execute(select(kind.name).where(kind.id == actor_id)).scalar_one())
