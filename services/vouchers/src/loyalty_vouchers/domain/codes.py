"""Voucher codes that people read aloud and type. Pure."""

from __future__ import annotations

from collections.abc import Callable

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1 and I, which are taken for each other."""

LENGTH = 10


def generated_code(choose: Callable[[str], str]) -> str:
    """A code of 50 random bits; ``choose`` draws one character, in production ``secrets.choice``."""
    return "".join(choose(ALPHABET) for _ in range(LENGTH))
