"""Member numbers: twelve digits in groups of four, the last a Luhn check digit. Pure."""

from __future__ import annotations

NUMBERS = 10**11
"""How many member numbers there are; ``member_number`` takes one of ``range(NUMBERS)``."""


def member_number(chosen: int) -> str:
    """``48210093771`` → ``4821-0093-7713``: the eleven digits of ``chosen`` and the check digit that fits them."""
    digits = f"{chosen:011d}"
    digits += str(-_luhn_sum(digits + "0") % 10)
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def is_member_number(text: str) -> bool:
    digits = text.replace("-", "")
    return len(digits) == 12 and digits.isascii() and digits.isdigit() and _luhn_sum(digits) % 10 == 0


def _luhn_sum(digits: str) -> int:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled)
