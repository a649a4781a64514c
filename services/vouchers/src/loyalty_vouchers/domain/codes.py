"""Voucher codes that people read aloud and type. Pure."""

from __future__ import annotations

from collections.abc import Callable

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1 and I, which are taken for each other."""

LENGTH = 10


def generated_code(choose: Callable[[int], int]) -> str:
    """A code of 50 random bits; ``choose(n)`` is a number of ``range(n)``."""
    return "".join(ALPHABET[choose(len(ALPHABET))] for _ in range(LENGTH))
