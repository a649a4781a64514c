from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from loyalty_testing.keys import IdentityKeys

Call = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, tenant_id: int, identity_keys: IdentityKeys) -> Call:
    """The look-up as the programs service makes it."""

    def ask(tenant: int | None = None, **wanted: Any) -> Any:
        token = identity_keys.signer("programs").mint("customers", tenant_id=tenant or tenant_id)
        return client.get("/internal/customers", query_string=wanted, headers={"Authorization": f"Bearer {token}"})

    return ask


def test_a_directory_gets_the_whole_customer_and_his_version(call: Call, ask: Call) -> None:
    customer = call("POST", "/customers", {"email": "Alex@Example.com"}).json["data"]
    expected = {"customer": customer, "customer_id": customer["id"], "version": 1, "erased_at": None}
    assert ask(customer_id=customer["id"]).json["data"] == expected
    assert ask(email="ALEX@example.COM").json["data"] == expected


def test_who_is_not_there_is_404_and_only_his_own_tenant_finds_him(call: Call, ask: Call, tenant_id: int) -> None:
    customer = call("POST", "/customers", {"email": "alex@example.com"}).json["data"]
    assert ask(customer_id=customer["id"] + 1_000_000).status_code == 404
    assert ask(email="nobody@example.com").status_code == 404
    assert ask(tenant_id + 1_000_000, customer_id=customer["id"]).status_code == 404


@pytest.mark.parametrize("wanted", [{}, {"customer_id": "x"}, {"customer_id": 1, "email": "a@b.c"}])
def test_a_look_up_names_one_thing(ask: Call, wanted: dict[str, Any]) -> None:
    assert ask(**wanted).status_code == 400


def test_the_gateways_callers_do_not_get_in(client: FlaskClient, gateway_token: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {gateway_token('customers')}"}
    assert client.get("/internal/customers?customer_id=1", headers=headers).status_code == 401


def test_a_services_token_does_not_open_the_public_side(client: FlaskClient, identity_keys: IdentityKeys) -> None:
    token = identity_keys.signer("programs").mint("customers", tenant_id=1)
    assert client.get("/v1/customers", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_that_names_no_tenant_sees_nothing(client: FlaskClient, identity_keys: IdentityKeys) -> None:
    token = identity_keys.signer("programs").mint("customers")
    answer = client.get("/internal/customers?customer_id=1", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
