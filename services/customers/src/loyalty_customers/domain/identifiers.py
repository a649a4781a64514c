"""How an identifier that a till was shown can be read. Pure."""

from __future__ import annotations

import re

_QR_PREFIX = "loyalty:member:"
_MEMBER_NUMBER = re.compile(r"([0-9]{4})-?([0-9]{4})-?([0-9]{4})", re.ASCII)


def qr_payload(member_number: str) -> str:
    return f"{_QR_PREFIX}{member_number}"


def is_qr(identifier: str) -> bool:
    return identifier.startswith(_QR_PREFIX)


def member_number(identifier: str) -> str | None:
    """In groups of four, as programs has it: of a QR's text, or of twelve digits with or without their hyphens."""
    found = _MEMBER_NUMBER.fullmatch(identifier.removeprefix(_QR_PREFIX))
    return "-".join(found.groups()) if found else None
