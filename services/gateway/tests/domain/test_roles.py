"""What a role opens, and which one an operation asks for."""

import pytest

from loyalty_gateway.domain import roles
from loyalty_gateway.domain.scopes import ALL_SCOPES


def test_an_owner_has_every_scope_and_a_manager_every_one_but_those_of_keys():
    assert roles.SCOPES["owner"] == set(ALL_SCOPES)
    assert roles.SCOPES["manager"] == {scope for scope in ALL_SCOPES if not scope.startswith("keys:")}
    assert roles.SCOPES["staff"] == {"customers:read"}


@pytest.mark.parametrize(
    ("scope", "marked", "least"),
    [
        ("customers:read", None, "staff"),
        ("customers:write", None, "manager"),
        ("programs:write", None, "manager"),
        ("programs:write", "staff", "staff"),
        ("account:write", None, "manager"),
        ("account:write", "owner", "owner"),
        ("keys:read", None, "owner"),
        (None, None, "staff"),
    ],
)
def test_an_operation_asks_for_the_role_it_is_marked_with_else_for_the_first_with_its_scope(scope, marked, least):
    assert roles.least(scope, marked) == least


def test_a_role_that_does_not_exist_opens_nothing_by_mistake():
    with pytest.raises(ValueError, match="king"):
        roles.least("programs:write", "king")


def test_a_higher_role_may_what_a_lower_one_may():
    order = ("staff", "manager", "owner")
    for role in order:
        for wanted in order:
            assert roles.suffices(role, wanted=wanted) == (order.index(role) >= order.index(wanted))
