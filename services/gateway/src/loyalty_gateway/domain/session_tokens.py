"""What a session's token looks like: a key (``keys``) without a mode, which its session has.

lps_4fZ8Qm01Ab_<43 characters of secret><6 of checksum>
    └── kid ──┘
"""

from __future__ import annotations

from loyalty_gateway.domain.keys import KID_LENGTH, SECRET_LENGTH, base62, checksum

PREFIX = "lps_"
_KID = slice(4, 14)
_CRC_AT = 58
_LENGTH = 64


def mint(entropy: bytes) -> str:
    """A new token; ``entropy`` is ``keys.ENTROPY_BYTES`` that nobody can guess."""
    kid = base62(int.from_bytes(entropy[:8]) % 62**KID_LENGTH, KID_LENGTH)
    body = f"{PREFIX}{kid}_{base62(int.from_bytes(entropy[8:]), SECRET_LENGTH)}"
    return body + checksum(body)


def kid_of(token: str) -> str | None:
    """The public part of a well-formed token; ``None`` for anything that we cannot have given out."""
    if len(token) != _LENGTH or not token.startswith(PREFIX) or token[14] != "_" or not token.isascii():
        return None
    if checksum(token[:_CRC_AT]) != token[_CRC_AT:]:
        return None
    kid = token[_KID]
    return kid if kid.isalnum() else None
