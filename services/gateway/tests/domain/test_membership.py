"""What a change of a user comes to, decided without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_gateway.domain.errors import NotYetAccepted
from loyalty_gateway.domain.membership import decide, is_owner

STATUSES, ROLES = ("active", "invited", "disabled"), ("owner", "manager", "staff")


def user(status="active", role="owner", password_hash="$argon2id$…"):
    return {"name": "Robin", "email": "r@example.com", "role": role, "status": status, "password_hash": password_hash}


@pytest.mark.parametrize(
    ("status", "has_password", "wanted", "becomes"),
    [
        ("active", True, "disabled", {"status": "disabled"}),
        ("disabled", True, "active", {"status": "active"}),
        ("active", True, "active", {}),
        ("invited", False, "disabled", {"status": "disabled"}),
        ("disabled", False, "active", {"status": "invited"}),
    ],
)
def test_a_status_changes_as_far_as_it_can(status, has_password, wanted, becomes):
    before = user(status, password_hash="$argon2id$…" if has_password else None)
    assert decide(before, {"status": wanted}) == becomes


def test_nobody_is_made_active_who_has_not_accepted():
    with pytest.raises(NotYetAccepted):
        decide(user("invited", password_hash=None), {"status": "active"})


@given(
    status=st.sampled_from(STATUSES),
    has_password=st.booleans(),
    wanted=st.fixed_dictionaries(
        {},
        optional={
            "role": st.sampled_from(ROLES),
            "status": st.sampled_from(("active", "disabled")),
            "name": st.sampled_from(("Robin", "Kim")),
        },
    ),
)
def test_whatever_changes_nobody_without_a_password_is_active(status, has_password, wanted):
    if status == "active" and not has_password:
        return
    before = user(status, password_hash="$argon2id$…" if has_password else None)
    try:
        changes = decide(before, wanted)
    except NotYetAccepted:
        return
    after = {**before, **changes}
    assert after["status"] != "active" or has_password
    assert all(before[name] != value for name, value in changes.items())
    assert is_owner(after) == (after["role"] == "owner" and after["status"] == "active")
