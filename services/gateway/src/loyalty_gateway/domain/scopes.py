"""What a caller may do, and what it may let others do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loyalty_gateway.domain.errors import ModeExceedsCaller, ScopesExceedCaller
from loyalty_gateway.models.base import LIVE, MODES

AREAS = ("customers", "programs", "vouchers", "webhooks", "account", "keys")
ALL_SCOPES = tuple(f"{area}:{right}" for area in AREAS for right in ("read", "write"))


def grants(granted: frozenset[str], wanted: str) -> bool:
    """``write`` includes ``read``."""
    area, _, right = wanted.partition(":")
    return wanted in granted or (right == "read" and f"{area}:write" in granted)


def in_order(scopes: Iterable[str]) -> list[str]:
    return [scope for scope in ALL_SCOPES if scope in set(scopes)]


@dataclass(frozen=True, slots=True)
class Authority:
    """What a caller can pass on to a key: its own mode and scopes, and live includes test."""

    mode: str
    scopes: frozenset[str]

    @property
    def modes(self) -> tuple[str, ...]:
        """Of the keys that it may see and manage."""
        return MODES if self.mode == LIVE else (self.mode,)

    def check_mode(self, mode: str) -> None:
        if mode not in self.modes:
            raise ModeExceedsCaller(mode)

    def check_scopes(self, scopes: Iterable[str]) -> None:
        if exceeding := [scope for scope in in_order(scopes) if not grants(self.scopes, scope)]:
            raise ScopesExceedCaller(exceeding)


OPERATORS = Authority(LIVE, frozenset(ALL_SCOPES))
