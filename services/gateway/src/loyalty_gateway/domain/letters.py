"""What the mails say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is sent. ``mail_id`` is the same at every attempt, so that a receiver can tell a repetition."""

    mail_id: int
    kind: str
    to: str
    subject: str
    text: str
