"""Passwords as argon2id keeps them, checked at one price whoever asks."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from loyalty_common.errors import Unavailable

SHORTEST = 12
LONGEST = 255
_hasher = PasswordHasher()
# Each takes 64 MiB and most of a core for a tenth of a second.
_at_a_time = threading.BoundedSemaphore(2)
# And the threads of this process have other work: from however many addresses a flood comes, most of it is sent away.
_in_line = threading.BoundedSemaphore(4)


def hashed(password: str) -> str:
    with _turn():
        return _hasher.hash(_normal(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether it is the one behind ``password_hash``. Without one the work is the same, and the answer no."""
    with _turn():
        try:
            _hasher.verify(password_hash or _nobodys(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(password_hash)


@contextmanager
def _turn() -> Iterator[None]:
    if not _in_line.acquire(blocking=False):
        raise Unavailable("Too many people sign in at this moment.")
    try:
        with _at_a_time:
            yield
    finally:
        _in_line.release()


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password, and it would not help")


def prepare() -> None:
    """Makes now what the first wrong e-mail address would otherwise wait for, and be told apart by."""
    _nobodys()


def _normal(password: str) -> str:
    """Keyboards send the same letter in several forms."""
    return unicodedata.normalize("NFC", password)
