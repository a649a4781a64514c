"""Reads a process's environment once, and names everything that is wrong with it at once."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

_SUBSCRIBER = re.compile(r"[a-z]+=https?://[^\s,]+")


class SettingsError(Exception):
    """The process cannot start: one sentence per variable, never with its value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The environment is not complete:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


class Environment:
    """Typed look-ups that collect their failures; ``check()`` raises them together.

    A look-up that failed returns a harmless value of its type, so that the caller's frozen
    settings object can be written as one expression before ``check()``.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._problems: list[str] = []

    def _raw(self, name: str, *, default: str | None) -> str | None:
        value = self._variables.get(name, "").strip()
        if value:
            return value
        if default is None:
            self.refuse(f"{name} is not set")
        return default

    def text(self, name: str, *, default: str | None = None) -> str:
        return self._raw(name, default=default) or ""

    def optional(self, name: str) -> str | None:
        return self._raw(name, default="") or None

    def integer(self, name: str, *, default: int | None = None, minimum: int = 1) -> int:
        raw = self._raw(name, default=None if default is None else str(default))
        try:
            value = int(raw or minimum)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            self.refuse(f"{name} must be an integer of at least {minimum}")
        return value

    def url(self, name: str, *, schemes: tuple[str, ...] = ("http", "https"), default: str | None = None) -> str:
        value = self.text(name, default=default)
        if value and value.split("://")[0] not in schemes:
            self.refuse(f"{name} must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}")
        return value.rstrip("/")

    def events_url(self, name: str) -> str:
        """``amqp://…``, or without a broker ``subscriber=http://…,subscriber=http://…``."""
        value = self.text(name)
        is_broker = value.startswith(("amqp://", "amqps://"))
        if value and not is_broker and not all(_SUBSCRIBER.fullmatch(entry.strip()) for entry in value.split(",")):
            self.refuse(f"{name} must begin with amqp:// or list subscribers as name=http://…,name=http://…")
        return value

    def listing(self, name: str, *, default: str | None = None) -> tuple[str, ...]:
        return tuple(item.strip() for item in self.text(name, default=default).split(",") if item.strip())

    def json_object(self, name: str) -> dict[str, Any]:
        raw = self._raw(name, default=None)
        try:
            value = json.loads(raw or "{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            self.refuse(f"{name} must be a JSON object")
            return {}
        return value

    def key32(self, name: str) -> str:
        """Base64 of 32 bytes, as text."""
        value = self.text(name)
        try:
            if value and len(base64.b64decode(value, validate=True)) != 32:
                raise ValueError
        except (ValueError, binascii.Error):
            self.refuse(f"{name} must be the base64 of 32 bytes")
        return value

    def versioned_keys(self, name: str) -> dict[int, bytes]:
        """``{"1": "<base64 of 32 bytes>"}``: secrets that are rotated by adding a higher version."""
        try:
            keys = {
                int(version): base64.b64decode(text, validate=True) for version, text in self.json_object(name).items()
            }
        except (ValueError, TypeError, binascii.Error):
            keys = {}
        if self.optional(name) and (not keys or any(len(key) != 32 for key in keys.values())):
            self.refuse(f"{name} must map versions to the base64 of 32 bytes")
        return keys

    def refuse(self, problem: str) -> None:
        """For what only one service can judge; ``problem`` names the variable and never its value."""
        self._problems.append(problem)

    def check(self) -> None:
        if self._problems:
            raise SettingsError(self._problems)
