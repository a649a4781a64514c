"""A customer or location that this service has not heard of is asked for at its owner, over HTTP."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.serving import make_server

from loyalty_programs.app import create_app
from loyalty_programs.settings import Settings

Call = Callable[..., Any]
AT = "2026-04-02T14:30:00+00:00"


class Owners:
    """Stands where customers and the gateway's private listener would; counts what it is asked."""

    def __init__(self) -> None:
        self.customers: dict[str, Any] = {}
        self.locations: dict[int, Any] = {}
        self.asked: list[str] = []
        self.url = ""

    def customer(self) -> Any:
        wanted = request.args.get("email") or request.args["customer_id"]
        self.asked.append(wanted)
        return self._found(self.customers.get(wanted))

    def location(self, location_id: int) -> Any:
        self.asked.append(f"location {location_id}")
        return self._found(self.locations.get(location_id))

    def _found(self, data: Any) -> Any:
        assert request.headers["Authorization"].startswith("Bearer ")
        return (jsonify(data=data), 200) if data else (jsonify(error={}), 404)


@pytest.fixture
def owners() -> Iterator[Owners]:
    owners = Owners()
    app = Flask("owners")
    app.add_url_rule("/internal/customers", view_func=owners.customer)
    app.add_url_rule("/internal/partner-locations/<int:location_id>", view_func=owners.location)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    owners.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield owners
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(settings: Settings, engine: Engine, owners: Owners) -> Iterator[FlaskClient]:
    """The service with owners that answer."""
    app = create_app(replace(settings, database_pool_size=5, customers_url=owners.url, gateway_internal_url=owners.url))
    yield app.test_client()
    app.extensions["engine"].dispose()
    for client in (app.extensions["directory"]._customers, app.extensions["directory"]._accounts):
        client._session.close()


def alex(**more: Any) -> dict[str, Any]:
    customer = {"id": 1042, "name": "Alex Rivera", "email": "alex@example.com", "phone": None, **more}
    customer |= {"external_id": None, "metadata": {}, "created_at": AT, "updated_at": AT}
    return {"customer": customer, "customer_id": 1042, "version": 1, "erased_at": None}


def test_a_customer_created_a_moment_ago_is_enrolled_at_once(
    call: Call, owners: Owners, insider: Callable[..., int]
) -> None:
    owners.customers["alex@example.com"] = alex()
    path = f"/loyalty-cards/{insider()}"
    enrolled = call("POST", f"{path}/enrollments", {"customer_email": " Alex@Example.com "})
    assert (enrolled.status_code, enrolled.json["data"]["enrollment"]["customer_id"]) == (201, 1042)
    assert call("POST", f"{path}/transactions", {"customer_id": 1042, "points": 5}).status_code == 201
    assert owners.asked == ["alex@example.com"], "asked once, then known by address and by id"


@pytest.mark.parametrize("named", [{"customer_id": 1042}, {"customer_email": "alex@example.com"}])
def test_a_customer_whom_nobody_knows_is_refused_under_the_field_sent(
    call: Call, owners: Owners, insider: Callable[..., int], coffee_club: Callable[..., int], named: dict[str, Any]
) -> None:
    card = insider()
    for path, sent in (
        (f"/loyalty-cards/{card}/enrollments", named),
        (f"/loyalty-cards/{card}/transactions", {**named, "points": 5}),
        (f"/stamp-cards/{coffee_club()}/stamps", named),
    ):
        refused = call("POST", path, sent)
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "customer_not_found")
        assert list(refused.json["error"]["details"]) == list(named)


def test_an_erased_customer_is_remembered_as_such(call: Call, owners: Owners, insider: Callable[..., int]) -> None:
    owners.customers["1042"] = {"customer": None, "customer_id": 1042, "version": 2, "erased_at": AT}
    path = f"/loyalty-cards/{insider()}/enrollments"
    for _ in range(2):
        refused = call("POST", path, {"customer_id": 1042})
        assert refused.json["error"]["reason"] == "customer_not_found"
    assert owners.asked == ["1042"]


def test_a_location_is_asked_for_once_and_a_foreign_one_refused_everywhere(
    call: Call, owners: Owners, insider: Callable[..., int], knows: Callable[..., int], tenant_id: int
) -> None:
    knows(1042, "alex@example.com")
    place = {"id": 7, "name": "Harbour", "time_zone": "Europe/Berlin", "is_active": True}
    owners.locations[7] = {"partner_location": place, "organization_id": tenant_id, "version": 1}
    card = insider(partner_location_id=7, auto_enroll=True)
    sale = {"customer_id": 1042, "points": 5, "partner_location_id": 7}
    assert call("POST", f"/loyalty-cards/{card}/transactions", sale).status_code == 201
    assert owners.asked == ["location 7"]
    foreign = {"name": "Elsewhere", "partner_location_id": 8}
    for path, sent in (
        ("/loyalty-cards", foreign),
        ("/stamp-cards", {**foreign, "stamps_required_for_reward": 10}),
        (f"/loyalty-cards/{card}/transactions", {**sale, "partner_location_id": 8}),
    ):
        refused = call("POST", path, sent)
        assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["partner_location_id"])


def test_an_address_that_two_customers_claim_reaches_neither(
    call: Call, owners: Owners, insider: Callable[..., int], knows: Callable[..., int]
) -> None:
    card = insider(auto_enroll=True)
    knows(1042, "alex@example.com")
    knows(1050, "alex@example.com")
    away = call("POST", f"/loyalty-cards/{card}/transactions", {"customer_email": "alex@example.com", "points": 5})
    assert (away.status_code, away.headers["Retry-After"]) == (503, "1")
    knows(1042, "alex.rivera@example.com", version=2)
    answer = call("POST", f"/loyalty-cards/{card}/transactions", {"customer_email": "alex@example.com", "points": 5})
    assert (answer.status_code, answer.json["data"]["customer_id"]) == (201, 1050)


def test_who_is_known_is_credited_while_the_owners_are_away(
    call: Call, owners: Owners, insider: Callable[..., int], knows: Callable[..., int], client: FlaskClient
) -> None:
    card = insider(auto_enroll=True)
    knows(1042, "alex@example.com")
    client.application.extensions["directory"]._customers._base_url = "http://127.0.0.1:1"
    path = f"/loyalty-cards/{card}/transactions"
    assert call("POST", path, {"customer_email": "alex@example.com", "points": 5}).status_code == 201
    away = call("POST", path, {"customer_email": "sam@example.com", "points": 5})
    assert (away.status_code, away.json["error"]["code"]) == (503, "unavailable")
    assert "Retry-After" in away.headers
