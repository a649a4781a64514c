"""What may become of a key."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_gateway.domain import key_rules
from loyalty_gateway.domain.errors import ExpiryRefused, KeyIsExpired, KeyIsReplaced, KeyIsRevoked, ScopesExceedCaller
from loyalty_gateway.domain.scopes import ALL_SCOPES, OPERATORS, Authority, grants

NOW = datetime(2026, 5, 16, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = {"scopes": ["programs:read"], "expires_at": None, "revoked_at": None, "replaced_by_id": None}

moments = st.one_of(st.none(), st.integers(-48, 48).map(lambda hours: NOW + hours * HOUR))
some_scopes = st.lists(st.sampled_from(ALL_SCOPES), min_size=1, unique=True)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({}, "active"),
        ({"expires_at": NOW + HOUR}, "active"),
        ({"expires_at": NOW}, "expired"),
        ({"expires_at": NOW + HOUR, "replaced_by_id": 5}, "expiring"),
        ({"expires_at": NOW - HOUR, "replaced_by_id": 5}, "expired"),
        ({"expires_at": NOW + HOUR, "replaced_by_id": 5, "revoked_at": NOW}, "revoked"),
        ({"expires_at": NOW - HOUR, "revoked_at": NOW}, "revoked"),
    ],
)
def test_a_key_has_one_status(facts, status):
    assert key_rules.status_of({**KEY, **facts}, now=NOW) == status


@given(expires_at=moments, revoked_at=moments, wanted=moments, replaced=st.sampled_from([None, 5]))
def test_no_change_brings_back_what_has_ended_or_prolongs_what_was_replaced(expires_at, revoked_at, wanted, replaced):
    if replaced and expires_at is None:
        expires_at = NOW + HOUR
    key = {**KEY, "expires_at": expires_at, "revoked_at": revoked_at, "replaced_by_id": replaced}
    status = key_rules.status_of(key, now=NOW)
    try:
        key_rules.check_change(key, {"expires_at": wanted}, authority=OPERATORS, now=NOW)
    except (KeyIsRevoked, KeyIsExpired, ExpiryRefused):
        return
    assert status in ("active", "expiring")
    assert key_rules.status_of({**key, "expires_at": wanted}, now=NOW) == status
    assert not replaced or wanted <= expires_at


@given(had=some_scopes, has=some_scopes, wanted=some_scopes)
def test_nobody_leaves_a_key_with_more_than_he_has(had, has, wanted):
    authority = Authority("live", frozenset(has))
    allowed = all(grants(frozenset(has), scope) for scope in wanted)
    try:
        key_rules.check_change({**KEY, "scopes": had}, {"scopes": wanted}, authority=authority, now=NOW)
    except ScopesExceedCaller:
        assert not allowed
    else:
        assert allowed


@given(expires_at=moments, overlap=st.integers(0, 168))
def test_a_rotation_ends_a_key_and_never_later_than_it_would_have_ended(expires_at, overlap):
    key = {**KEY, "expires_at": expires_at}
    try:
        ends_at = key_rules.end_after_rotation(key, overlap=overlap * HOUR, authority=OPERATORS, now=NOW)
    except KeyIsExpired:
        assert expires_at <= NOW
        return
    assert NOW <= ends_at <= NOW + overlap * HOUR
    assert expires_at is None or ends_at <= expires_at
    replaced = {**key, "expires_at": ends_at, "replaced_by_id": 5}
    with pytest.raises((KeyIsReplaced, KeyIsExpired)):
        key_rules.end_after_rotation(replaced, overlap=HOUR, authority=OPERATORS, now=NOW)


def test_write_includes_read_and_nothing_else():
    assert [scope for scope in ALL_SCOPES if grants(frozenset(("customers:write",)), scope)] == [
        "customers:read",
        "customers:write",
    ]
