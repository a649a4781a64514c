"""What a cookie holds is read by nobody else, and a key can be changed while people are signed in."""

import pytest
from cryptography.fernet import InvalidToken

from loyalty_dashboard.web.sessions import SealedSessions

OLD, NEW = {1: b"1" * 32}, {1: b"1" * 32, 2: b"2" * 32}
KEPT = {"signed_in": {"token": "lps_secret"}}


def test_a_cookie_does_not_show_what_it_holds():
    assert "lps_secret" not in SealedSessions(OLD, is_https=True).sealed(KEPT)


def test_a_cookie_that_was_touched_is_worth_nothing():
    seals = SealedSessions(OLD, is_https=True)
    sealed = seals.sealed(KEPT)
    with pytest.raises(InvalidToken):
        seals.opened(sealed[:-8] + "AAAAAAA=")


def test_the_newest_key_seals_and_every_key_opens():
    before, after = SealedSessions(OLD, is_https=True), SealedSessions(NEW, is_https=True)
    assert after.opened(before.sealed(KEPT)) == KEPT
    with pytest.raises(InvalidToken):
        before.opened(after.sealed(KEPT))


def test_over_https_no_sister_domain_can_set_the_cookie():
    assert SealedSessions(OLD, is_https=True).cookie_name == "__Host-loyalty"
