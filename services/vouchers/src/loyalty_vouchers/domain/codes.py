"""Voucher codes that people read aloud and type. Pure."""

from __future__ import annotations

from collections.abc import Callable

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1 and I, which are taken for each other."""

LENGTH = 10

_GUESSES = 100


def generated_code(choose: Callable[[int], int], *, prefix: str = "", length: int = LENGTH) -> str:
    """A code of 5 random bits for each of ``length`` characters; ``choose(n)`` is a number of ``range(n)``."""
    drawn = choose(len(ALPHABET) ** length)
    characters = []
    for _ in range(length):
        drawn, at = divmod(drawn, len(ALPHABET))
        characters.append(ALPHABET[at])
    return prefix + "".join(characters)


def least_length(quantity: int) -> int:
    """So long must the codes of a batch be that whoever tries some at random needs a hundred to find one."""
    length = 1
    while len(ALPHABET) ** length < quantity * _GUESSES:
        length += 1
    return length
