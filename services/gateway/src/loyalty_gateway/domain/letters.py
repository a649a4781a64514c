"""What the mails say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from loyalty_gateway.domain import one_time_links, users
from loyalty_gateway.models import Organization, User

_TEXTS = {
    "invitation": (
        "You are invited to {organization}",
        "Hello {name},\n\n{organization} invites you to its loyalty dashboard. "
        "Choose a password here, within 7 days:\n\n{link}\n\nIf you did not expect this, there is nothing to do.\n",
    ),
    "password_reset": (
        "Choose a new password",
        "Hello {name},\n\nsomebody, probably you, asked for a new password. Choose it here, within 60 minutes:\n\n"
        "{link}\n\nIf it was not you, there is nothing to do: the old password stays.\n",
    ),
    "endpoint_disabled": (
        "A webhook endpoint of {organization} was disabled",
        "Hello {name},\n\nthe webhook endpoint {endpoint_id} at {host} ({mode} mode) was disabled on {disabled_at}: "
        "{reason}.\nIt gets no events until you open it again, here:\n\n{link}\n\n"
        "What it missed meanwhile can be replayed.\n",
    ),
}
_REASONS = {"gone": "it answered 410 Gone", "failing": "it has failed for five days"}


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is sent. ``mail_id`` is the same at every attempt, so that a receiver can tell a repetition."""

    mail_id: int
    kind: str
    to: str
    subject: str
    text: str


def write(connection: Connection, mail: RowMapping, *, dashboard_url: str, at: datetime) -> Letter | None:
    """The letter, with a link of its own where it has one; ``None`` if there is nobody who should have it."""
    user = _recipient(connection, mail)
    if user is None:
        return None
    kind, facts = mail["kind"], dict(mail["facts"])
    if kind == "endpoint_disabled":
        link = f"{dashboard_url}/webhook-endpoints/{facts['endpoint_id']}"
        facts["reason"] = _REASONS.get(facts["reason"], facts["reason"])
    else:
        # Who was invited and never came asks for an invitation, whatever he calls it.
        kind = "invitation" if user["status"] == "invited" else "password_reset"
        token = one_time_links.mint(connection, user_id=user["id"], kind=kind, at=at)
        link = f"{dashboard_url}/password-resets/{token}"
    return Letter(mail["id"], kind, user["email"], *_filled(kind, user, facts | {"link": link}))


def _filled(kind: str, user: RowMapping, facts: Mapping[str, Any]) -> tuple[str, str]:
    subject, text = _TEXTS[kind]
    facts = {**facts, "name": user["name"], "organization": user["organization"]}
    return subject.format_map(facts), text.format_map(facts)


def _recipient(connection: Connection, mail: RowMapping) -> RowMapping | None:
    user_id = mail["user_id"]
    if user_id is None:
        user = users.by_email(connection, mail["email"])
        if user is None:
            return None
        user_id = user["id"]
    # Locked: a link must not go to an address that is being given up, past the end of those that went there before.
    found = (
        select(User.id, User.name, User.email, User.status, Organization.name.label("organization"))
        .join(Organization, Organization.id == User.organization_id)
        .where(User.id == user_id, User.status != "disabled", User.deleted_at.is_(None))
        .with_for_update(of=User, key_share=True)
    )
    return connection.execute(found).mappings().one_or_none()
