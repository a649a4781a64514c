"""What is kept of passwords, and what checking them may cost."""

import pytest

from loyalty_common.errors import Unavailable
from loyalty_gateway.domain import passwords


@pytest.fixture(scope="module")
def kept():
    return passwords.hashed("Café am Hafen")


def test_what_is_kept_is_an_argon2id_hash(kept):
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_is_the_same_however_a_keyboard_sends_its_letters(kept):
    assert passwords.matches("Cafe\N{COMBINING ACUTE ACCENT} am Hafen", kept)
    assert not passwords.matches("Cafe am Hafen", kept)


def test_where_nothing_is_kept_the_same_work_is_done_and_the_answer_is_no(monkeypatch):
    checked = []

    class Noting:
        def verify(self, password_hash, password):
            checked.append((password_hash[:29], password))

    passwords.prepare()
    monkeypatch.setattr(passwords, "_hasher", Noting())
    assert not passwords.matches("whatever it was", None)
    assert checked == [("$argon2id$v=19$m=65536,t=3,p=", "whatever it was")]


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_that_is_typed_matches_what_is_not_there(nothing):
    assert not passwords.matches("nobody has this password, and it would not help", nothing)


def test_a_flood_does_not_take_the_threads_that_have_other_work(kept):
    in_line = [passwords._in_line.acquire(blocking=False) for _ in range(4)]
    assert all(in_line)
    try:
        with pytest.raises(Unavailable):
            passwords.matches("Café am Hafen", kept)
    finally:
        for _ in in_line:
            passwords._in_line.release()
    assert passwords.matches("Café am Hafen", kept)
