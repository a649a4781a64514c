"""The service on a database of its own, called as the gateway calls it, and stand-ins for the services that it asks."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.serving import make_server

from loyalty_common import database, envelope, migrations
from loyalty_common.identity import TokenVerifier
from loyalty_testing.keys import IdentityKeys
from loyalty_testing.postgres import Postgres
from loyalty_vouchers.__main__ import MIGRATIONS
from loyalty_vouchers.app import create_app
from loyalty_vouchers.models import directory
from loyalty_vouchers.settings import Settings

Call = Callable[..., Any]
_tenants = itertools.count(1)


class Owners:
    """The customers service and the gateway's private listener, as far as vouchers asks them, by tenant."""

    def __init__(self, keys: IdentityKeys) -> None:
        self.customers: dict[int, list[dict[str, Any]]] = {}
        self.locations: dict[int, list[dict[str, Any]]] = {}
        self._customers_door = TokenVerifier("customers", keys.public_keys)
        self._gateway_door = TokenVerifier("gateway", keys.public_keys)
        self.app = Flask("owners")
        self.app.add_url_rule("/internal/customers", view_func=self.customer)
        self.app.add_url_rule("/internal/partner-locations/<int:location_id>", view_func=self.location)

    def customer(self) -> Response:
        tenant_id = self._customers_door.verify(request.headers["Authorization"]).tenant_id or 0
        email = request.args.get("email", "").casefold()
        for found in self.customers.get(tenant_id, []):
            if request.args.get("customer_id") == str(found["id"]) or email == found["email"]:
                return _answer(customer=found, customer_id=found["id"], version=1, erased_at=None)
        return Response(status=404)

    def location(self, location_id: int) -> Response:
        self._gateway_door.verify(request.headers["Authorization"])
        for found in self.locations.get(int(request.args["organization_id"]), []):
            if found["id"] == location_id:
                return _answer(partner_location=found, organization_id=1, version=1)
        return Response(status=404)


def _answer(**data: Any) -> Response:
    return Response(envelope.dumps({"data": data}), content_type="application/json")


@pytest.fixture(scope="session")
def owners(identity_keys: IdentityKeys) -> Owners:
    return Owners(identity_keys)


@pytest.fixture(scope="session")
def owners_url(owners: Owners) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, owners.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def settings(postgres: Postgres, identity_keys: IdentityKeys, owners_url: str) -> Settings:
    return Settings(
        database_url=postgres.create_database("vouchers"),
        database_pool_size=60,
        bind="",
        web_workers=1,
        web_threads=1,
        public_base_url="https://loyalty.test/api/v1",
        events_url="webhooks=http://127.0.0.1:1",
        customers_url=owners_url,
        gateway_internal_url=owners_url,
        identity_public_keys=identity_keys.public_keys,
        identity_private_key=identity_keys.private_key("vouchers"),
        otel_exporter_otlp_endpoint="",
        log_level="error",
        metrics_port=0,
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = database.create_engine(settings.database_url, pool_size=4, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def app(settings: Settings, engine: Engine) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture(scope="session")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def tenant_id() -> int:
    """A tenant that no other test knows, and the only one of its organization, which has the same number."""
    return next(_tenants)


@pytest.fixture
def call(client: FlaskClient, tenant_id: int, gateway_token: Callable[..., str]) -> Call:
    """``call("POST", "/vouchers", {...}, key="k")`` as this test's tenant; keywords go to the client."""

    def call_as_gateway(
        method: str, path: str, body: Any = None, *, key: str | None = None, tenant: int = 0, **options: Any
    ) -> Any:
        tenant = tenant or tenant_id
        token = gateway_token("vouchers", tenant_id=tenant, organization_id=tenant)
        headers = {"Authorization": f"Bearer {token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            options["json"] = body
        return client.open(f"/v1{path}", method=method, headers={**headers, **options.pop("headers", {})}, **options)

    return call_as_gateway


@pytest.fixture
def ask(client: FlaskClient, tenant_id: int, identity_keys: IdentityKeys) -> Call:
    """``ask("/usage", currency="USD")``: what another service of the suite is told of this test's tenant."""

    def ask_as_customers(path: str, *, tenant: int = 0, **query: Any) -> Any:
        token = identity_keys.signer("customers").mint("vouchers", tenant_id=tenant or tenant_id)
        headers = {"Authorization": f"Bearer {token}"}
        return client.get(f"/internal{path}", query_string=query, headers=headers)

    return ask_as_customers


@pytest.fixture
def person() -> Callable[..., dict[str, Any]]:
    """A customer as their owner shows them; Alex unless said otherwise."""

    def as_owner_shows(**changed: Any) -> dict[str, Any]:
        return {
            "id": 1042,
            "name": "Alex Rivera",
            "email": "alex@example.com",
            "phone": "+15551234567",
            "external_id": None,
            "metadata": {},
            "created_at": "2026-04-02T14:30:00+00:00",
            "updated_at": "2026-04-02T14:30:00+00:00",
            **changed,
        }

    return as_owner_shows


@pytest.fixture
def know(engine: Engine, tenant_id: int) -> Callable[[dict[str, Any]], None]:
    """Puts a customer into the directory."""

    def learn(customer: dict[str, Any]) -> None:
        with database.transaction(engine, tenant_id) as tx:
            directory.learn_customer(tx, customer=customer, customer_id=customer["id"], version=1, erased_at=None)

    return learn


@pytest.fixture
def locate(engine: Engine, tenant_id: int) -> Callable[..., None]:
    """Puts a partner location of this test's organization into the directory."""

    def learn(location_id: int, *, time_zone: str = "America/New_York") -> None:
        location = {"id": location_id, "name": "Riverside", "time_zone": time_zone, "is_active": True}
        with engine.begin() as connection:
            directory.learn_location(connection, location=location, organization_id=tenant_id, version=1)

    return learn


@pytest.fixture
def new_voucher(call: Call, locate: Callable[..., None]) -> Callable[..., dict[str, Any]]:
    """``new_voucher(max_redemptions=1)``: a voucher of 20 per cent at location 2."""
    locate(2)

    def create(**settings: Any) -> dict[str, Any]:
        sent = {"name": "Spring Savings", "partner_location_id": 2, "discount_type": "percent", "discount_value": 20}
        response = call("POST", "/vouchers", {**sent, **settings})
        assert response.status_code == 201, response.json
        voucher: dict[str, Any] = response.json["data"]
        return voucher

    return create


@pytest.fixture
def redeem(call: Call, know: Callable[..., None], person: Callable[..., dict[str, Any]]) -> Call:
    """``redeem(voucher, order_amount=45)``: for Alex, whom the directory knows, unless another customer is named."""
    know(person())

    def redeem_for_alex(voucher: dict[str, Any], *, key: str | None = None, **sent: Any) -> Any:
        if not {"customer_id", "customer_email"} & sent.keys():
            sent["customer_email"] = "alex@example.com"
        return call("POST", f"/vouchers/{voucher['id']}/redeem", {"order_amount": 45, **sent}, key=key)

    return redeem_for_alex


@pytest.fixture
def clock() -> Callable[[int], str]:
    """``clock(-3)``: the moment three days ago."""
    now = datetime.now(UTC)

    def in_days(days: int) -> str:
        return (now + timedelta(days=days)).isoformat(timespec="seconds")

    return in_days
