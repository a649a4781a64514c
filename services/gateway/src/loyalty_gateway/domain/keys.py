"""What an API key looks like and how it is told from garbage and from a guess.

    lpk_live_4fZ8Qm01Ab_<43 characters of secret><6 of checksum>
    └ mode ┘ └── kid ──┘

Base62 throughout. The checksum lets garbage be refused without a look-up, and scanners find leaked keys.
"""

from __future__ import annotations

import hmac
import string
import zlib
from collections.abc import Mapping

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
KID_LENGTH, SECRET_LENGTH, _CRC_LENGTH = 10, 43, 6
_KID = slice(9, 19)
_CRC_AT = 63
_KEY_LENGTH = 69
_NO_DIGEST = bytes(32)

# 64 bits that spread the kids and 256 that keep the secret: 62**43 is just above 2**256.
ENTROPY_BYTES = 40


def mint(*, mode: str, entropy: bytes) -> str:
    """A new key for ``live`` or ``test``; ``entropy`` is 40 bytes that nobody can guess."""
    kid = base62(int.from_bytes(entropy[:8]) % 62**KID_LENGTH, KID_LENGTH)
    body = f"lpk_{mode}_{kid}_{base62(int.from_bytes(entropy[8:]), SECRET_LENGTH)}"
    return body + checksum(body)


def kid_of(key: str) -> str | None:
    """The public part of a well-formed key; ``None`` for anything that we cannot have given out."""
    if len(key) != _KEY_LENGTH or key[:9] not in ("lpk_live_", "lpk_test_") or key[19] != "_" or not key.isascii():
        return None
    if checksum(key[:_CRC_AT]) != key[_CRC_AT:]:
        return None
    kid = key[_KID]
    return kid if kid.isalnum() else None


def digest(key: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, key.encode(), "sha256")


def matches(key: str, *, stored: tuple[bytes, int] | None, peppers: Mapping[int, bytes]) -> bool:
    """Whether ``key`` is the one whose digest and pepper version are ``stored``, in constant time.

    Nothing stored costs the same work as a wrong secret, so that time tells nobody which kids exist.
    """
    expected, version = stored or (_NO_DIGEST, max(peppers))
    pepper = peppers.get(version)
    presented = digest(key, pepper if pepper is not None else _NO_DIGEST)
    return hmac.compare_digest(presented, expected) and stored is not None and pepper is not None


def checksum(body: str) -> str:
    return base62(zlib.crc32(body.encode()), _CRC_LENGTH)


def base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, remainder = divmod(number, 62)
        digits.append(_ALPHABET[remainder])
    return "".join(reversed(digits))
