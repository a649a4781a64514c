"""When a referral program brings friends, and what its codes look like. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.errors import ReferralProgramInactive

# Nothing that can be mistaken for something else: no 0 and O, no 1 and I.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUP = 4
_LONGEST_NAME = 10
CODES = len(_ALPHABET) ** (2 * _GROUP)
"""``referral_code`` takes one of ``range(CODES)``."""


@dataclass(frozen=True, slots=True)
class ReferralTerms:
    """``time_zone`` is that of the card's partner location: both dates are days there."""

    name: str
    is_active: bool
    valid_from: date | None
    valid_until: date | None
    time_zone: str


def check_running(program: ReferralTerms, at: datetime) -> None:
    """For new codes and new referrals. Those made before go on after the last day, but not while it is inactive."""
    today = local_date(at, program.time_zone)
    early = program.valid_from is not None and today < program.valid_from
    late = program.valid_until is not None and today > program.valid_until
    if early or late or not program.is_active:
        raise ReferralProgramInactive(program.name)


def referral_code(name: str | None, chosen: int) -> str:
    """``ALEX-7KQ2`` for Alex Rivera; without a name in Latin letters two groups, ``7KQ2-M9XR``.

    One that is taken violates the unique index and another is drawn.
    """
    digits = [_ALPHABET[chosen // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(2 * _GROUP)]
    first, second = "".join(digits[:_GROUP]), "".join(digits[_GROUP:])
    return f"{_letters(name) or second}-{first}"


def _letters(name: str | None) -> str:
    """The first word's, without accents."""
    word = (name or "").partition(" ")[0]
    plain = unicodedata.normalize("NFKD", word).upper()
    return "".join(letter for letter in plain if "A" <= letter <= "Z")[:_LONGEST_NAME]
