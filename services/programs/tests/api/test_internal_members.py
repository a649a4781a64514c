from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from loyalty_testing.keys import IdentityKeys

Call = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, tenant_id: int, identity_keys: IdentityKeys) -> Call:
    """The look-up as the customers service makes it."""

    def ask(tenant: int | None = None, **wanted: Any) -> Any:
        token = identity_keys.signer("customers").mint("programs", tenant_id=tenant or tenant_id)
        return client.get("/internal/enrollments", query_string=wanted, headers={"Authorization": f"Bearer {token}"})

    return ask


@pytest.fixture
def enroll(call: Call, alex: int) -> Callable[[int], Any]:
    def enroll(card_id: int) -> Any:
        sent = {"customer_id": alex}
        return call("POST", f"/loyalty-cards/{card_id}/enrollments", sent).json["data"]["enrollment"]

    return enroll


def test_a_member_number_leads_to_the_enrollment_as_it_is_now(
    ask: Call, call: Call, insider: Callable[..., int], enroll: Callable[[int], Any], tenant_id: int
) -> None:
    enrollment = enroll(card := insider())
    call("POST", f"/loyalty-cards/{card}/transactions", {"customer_id": enrollment["customer_id"], "points": 5})
    [found] = ask(member_number=enrollment["member_number"]).json["data"]["enrollments"]
    assert found == {**enrollment, "points_balance": 55, "updated_at": found["updated_at"]}
    for nobodys in (ask(tenant_id + 1_000_000, member_number=enrollment["member_number"]), ask(member_number="1")):
        assert (nobodys.status_code, nobodys.json["data"]) == (200, {"enrollments": []})


def test_a_customer_has_his_enrollments_newest_first_or_the_one_on_a_card(
    ask: Call, insider: Callable[..., int], enroll: Callable[[int], Any], alex: int, tenant_id: int
) -> None:
    first, second = enroll(insider()), enroll(insider())
    assert ask(customer_id=alex).json["data"]["enrollments"] == [second, first]
    one = ask(customer_id=alex, loyalty_card_id=first["loyalty_card_id"])
    assert one.json["data"]["enrollments"] == [first]
    assert ask(customer_id=alex, loyalty_card_id=999_999).json["data"]["enrollments"] == []
    assert ask(tenant_id + 1_000_000, customer_id=alex).json["data"]["enrollments"] == []


@pytest.mark.parametrize("wanted", [{}, {"loyalty_card_id": 1}, {"customer_id": "x"}, {"member_number": "", "id": 1}])
def test_a_look_up_names_one_thing(ask: Call, wanted: dict[str, Any]) -> None:
    assert ask(**wanted).status_code == 400
    assert ask(member_number="4821-0093-7713", customer_id=1).status_code == 400


def test_the_gateways_callers_do_not_get_in(client: FlaskClient, gateway_token: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {gateway_token('programs')}"}
    assert client.get("/internal/enrollments?customer_id=1", headers=headers).status_code == 401
