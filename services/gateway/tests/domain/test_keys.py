"""Keys, as they are given out and as they come back."""

import hmac
import re
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_gateway.domain import keys

PEPPERS = {1: b"1" * 32, 2: b"2" * 32}
KEY = keys.mint(mode="live", entropy=bytes(range(40)))
BASE62 = string.digits + string.ascii_letters


@pytest.mark.parametrize("mode", ["live", "test"])
@pytest.mark.parametrize("entropy", [b"\x00" * 40, b"\xff" * 40, secrets.token_bytes(40)])
def test_a_key_has_the_form_that_integrators_know(mode, entropy):
    key = keys.mint(mode=mode, entropy=entropy)
    assert re.fullmatch(rf"lpk_{mode}_[0-9A-Za-z]{{10}}_[0-9A-Za-z]{{49}}", key)
    assert keys.kid_of(key) == key[9:19]


@given(at=st.integers(0, len(KEY) - 1), character=st.characters())
def test_a_key_with_one_wrong_character_is_nobodys_without_a_look_up(at, character):
    mistyped = KEY[:at] + character + KEY[at + 1 :]
    assert mistyped == KEY or keys.kid_of(mistyped) is None


@given(st.text() | st.text(BASE62, min_size=49, max_size=49).map(lambda tail: f"lpk_live_4fZ8Qm01Ab_{tail}"))
def test_garbage_is_nobodys_key(garbage):
    assert garbage == KEY or keys.kid_of(garbage) is None


@pytest.mark.parametrize("wrong", [f"{KEY} ", f"{KEY},{KEY}", KEY.upper(), KEY[:-1], "lpk_your_secret_key"])
def test_what_only_resembles_a_key_is_nobodys(wrong):
    assert keys.kid_of(wrong) is None


def test_a_key_matches_the_digest_under_its_own_pepper_version():
    assert keys.matches(KEY, stored=(keys.digest(KEY, PEPPERS[1]), 1), peppers=PEPPERS)
    assert not keys.matches(KEY, stored=(keys.digest(KEY, PEPPERS[1]), 2), peppers=PEPPERS)


def test_another_secret_behind_the_same_kid_does_not_match():
    other = keys.mint(mode="live", entropy=bytes(range(8)) + b"x" * 32)
    assert keys.kid_of(other) == keys.kid_of(KEY)
    assert not keys.matches(other, stored=(keys.digest(KEY, PEPPERS[1]), 1), peppers=PEPPERS)


def test_nothing_matches_where_nothing_is_stored():
    assert not keys.matches(KEY, stored=None, peppers=PEPPERS)


def test_an_unknown_key_costs_what_a_wrong_one_does_and_neither_is_compared_byte_by_byte(monkeypatch):
    done = []
    for name in ("digest", "compare_digest"):
        work = getattr(hmac, name)
        monkeypatch.setattr(hmac, name, lambda *given, name=name, work=work: done.append(name) or work(*given))
    for stored in (None, (bytes(32), 1), (bytes(32), 3)):
        assert not keys.matches(KEY, stored=stored, peppers=PEPPERS)
        assert [done.pop(0), done.pop(0), done] == ["digest", "compare_digest", []]


def test_a_pepper_that_is_gone_matches_nothing():
    zero = bytes(32)
    assert not keys.matches(KEY, stored=(keys.digest(KEY, zero), 3), peppers=PEPPERS)
