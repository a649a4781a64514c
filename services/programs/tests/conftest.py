"""The service on a database of its own, called as the gateway calls it; customers and locations are known."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, Row, text

from loyalty_common import database, migrations
from loyalty_common.database import Transaction
from loyalty_programs.__main__ import MIGRATIONS
from loyalty_programs.app import create_app
from loyalty_programs.models import directory
from loyalty_programs.settings import Settings
from loyalty_testing.keys import IdentityKeys
from loyalty_testing.postgres import Postgres

Call = Callable[..., Any]
_tenants = itertools.count(1)
RIVERSIDE = 2


@pytest.fixture(scope="session")
def settings(postgres: Postgres, identity_keys: IdentityKeys) -> Settings:
    return Settings(
        database_url=postgres.create_database("programs"),
        database_pool_size=60,
        bind="",
        web_workers=1,
        web_threads=1,
        public_base_url="https://loyalty.test/api/v1",
        events_url="webhooks=http://127.0.0.1:1",
        identity_public_keys=identity_keys.public_keys,
        identity_private_key=identity_keys.private_key("programs"),
        customers_url="http://127.0.0.1:1",
        gateway_internal_url="http://127.0.0.1:1",
        otel_exporter_otlp_endpoint="",
        log_level="error",
        metrics_port=0,
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = database.create_engine(settings.database_url, pool_size=4, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.begin() as connection:  # so that the places of rows are the order in which they were written
        connection.execute(text("alter table outbox set (autovacuum_enabled = false)"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def client(settings: Settings, engine: Engine) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["engine"].dispose()


@pytest.fixture
def tenant_id(engine: Engine) -> int:
    """A tenant that no other test knows, of an organization of the same number, whose Riverside is in New York."""
    tenant_id = next(_tenants)
    location = {"id": RIVERSIDE, "name": "Riverside", "time_zone": "America/New_York", "is_active": True}
    with engine.begin() as connection:
        directory.learn_location(connection, location=location, organization_id=tenant_id, version=1)
    return tenant_id


@pytest.fixture
def call(client: FlaskClient, tenant_id: int, gateway_token: Callable[..., str]) -> Call:
    """``call("POST", "/loyalty-cards", {...}, key="k")`` as this test's tenant; keywords go to the client."""

    def call_as_gateway(
        method: str, path: str, body: Any = None, *, key: str | None = None, tenant: int = 0, **options: Any
    ) -> Any:
        caller = tenant or tenant_id
        token = gateway_token("programs", tenant_id=caller, organization_id=caller)
        headers = {"Authorization": f"Bearer {token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            options["json"] = body
        return client.open(f"/v1{path}", method=method, headers={**headers, **options.pop("headers", {})}, **options)

    return call_as_gateway


@pytest.fixture
def knows(engine: Engine, tenant_id: int) -> Callable[..., int]:
    """``knows(1042, "alex@example.com", name="Alex Rivera")``: the directory has heard of the customer; his id."""

    def learn(customer_id: int, email: str, *, name: str | None = None, version: int = 1, **more: Any) -> int:
        at = "2026-04-02T14:30:00+00:00"
        customer = {"id": customer_id, "name": name, "email": email, "phone": None, "external_id": None, "metadata": {}}
        customer |= {"created_at": at, "updated_at": at, **more}
        with engine.begin() as connection:
            directory.learn_customer(
                Transaction(connection, tenant_id),
                customer=customer,
                customer_id=customer_id,
                version=version,
                erased_at=None,
            )
        return customer_id

    return learn


@pytest.fixture
def alex(knows: Callable[..., int]) -> int:
    return knows(1042, "alex@example.com", name="Alex Rivera", phone="+15551234567")


@pytest.fixture
def insider(call: Call) -> Callable[..., int]:
    """``insider(initial_bonus_points=0)``: the id of a new loyalty card like that of the reference."""

    def create(**settings: Any) -> int:
        card = {
            "name": "Insider Points",
            "partner_location_id": RIVERSIDE,
            "earn_spend_amount": 10,
            "earn_points": 1,
            "earn_currency": "USD",
            "initial_bonus_points": 50,
            **settings,
        }
        response = call("POST", "/loyalty-cards", card)
        assert response.status_code == 201, response.text
        return int(response.json["data"]["id"])

    return create


@pytest.fixture
def reward(call: Call, card: int) -> Callable[..., str]:
    """``reward(points_cost=10)``: the path of a new reward like that of the reference, on the ``card`` of the test."""

    def create(**settings: Any) -> str:
        pastry = {"title": "Free pastry", "points_cost": 20, "quantity": 100, **settings}
        created = call("POST", f"/loyalty-cards/{card}/rewards", pastry)
        assert created.status_code == 201, created.text
        return f"/loyalty-cards/{card}/rewards/{created.json['data']['id']}"

    return create


@pytest.fixture
def coffee_club(call: Call) -> Callable[..., int]:
    """``coffee_club(stamps_per_purchase=2)``: the id of a new stamp card like that of the reference."""

    def create(**settings: Any) -> int:
        card = {
            "name": "Coffee Club",
            "partner_location_id": RIVERSIDE,
            "stamps_required_for_reward": 10,
            "reward_title": "Free coffee",
            **settings,
        }
        response = call("POST", "/stamp-cards", card)
        assert response.status_code == 201, response.text
        return int(response.json["data"]["id"])

    return create


@pytest.fixture
def bring_a_friend(call: Call, insider: Callable[..., int]) -> Callable[..., dict[str, Any]]:
    """``bring_a_friend([{"type": "enrolled"}], card=12)``: a new program that pays 100 and 50."""

    def create(milestones: list[dict[str, Any]], *, card: int = 0, **settings: Any) -> dict[str, Any]:
        program = {"name": "Bring a friend", "loyalty_card_id": card or insider(initial_bonus_points=0)}
        program |= {"referrer_points": 100, "referred_points": 50, "milestones": milestones, **settings}
        response = call("POST", "/referral-programs", program)
        assert response.status_code == 201, response.text
        return dict(response.json["data"])

    return create


@pytest.fixture
def refer(call: Call, knows: Callable[..., int]) -> Callable[..., dict[str, Any]]:
    """``refer(program, 1042, 1050)``: Alex, who is enrolled by that, refers Sam; the referral."""

    def create(program: dict[str, Any], referrer: int, friend: int) -> dict[str, Any]:
        path = f"/referral-programs/{program['id']}"
        call("POST", f"/loyalty-cards/{program['loyalty_card_id']}/enrollments", {"customer_id": referrer})
        code = call("POST", f"{path}/codes", {"customer_id": referrer}).json["data"]["referral_code"]
        response = call("POST", f"{path}/referrals", {"referral_code": code, "customer_id": friend})
        assert response.status_code == 201, response.text
        return dict(response.json["data"])

    return create


@pytest.fixture
def sam(knows: Callable[..., int]) -> int:
    return knows(1050, "sam@example.com", name="Sam Lee")


@pytest.fixture
def rows(engine: Engine, tenant_id: int) -> Callable[[str], list[Row[Any]]]:
    """``rows("select … where tenant_id = :tenant_id")``"""

    def read(query: str) -> list[Row[Any]]:
        with engine.connect() as connection:
            return list(connection.execute(text(query), {"tenant_id": tenant_id}))

    return read


@pytest.fixture
def events(rows: Callable[[str], list[Row[Any]]]) -> Callable[[], list[tuple[str, Any]]]:
    """What this tenant published: pairs of event and data."""
    query = "select event, payload from outbox where tenant_id = :tenant_id order by created_at, ctid"
    return lambda: [(row.event, json.loads(row.payload)) for row in rows(query)]


@pytest.fixture
def books_balance(rows: Callable[[str], list[Row[Any]]]) -> Callable[[], None]:
    """Asserts of every enrollment: balance = sum of deltas = last balance after; lots hold it; one event per change."""

    def check() -> None:
        for found in rows(_BOOKS):
            assert found.points_balance == found.total == found.last, found
            assert found.in_lots == max(0, found.points_balance), found
        changes = rows("select id from points_transactions where tenant_id = :tenant_id and points_delta <> 0")
        told = rows(_TOLD)
        assert sorted(row.id for row in changes) == sorted(row.id for row in told)

    return check


_BOOKS = """
    select e.points_balance, coalesce(sum(t.points_delta), 0) as total, coalesce(sum(t.points_remaining), 0) as in_lots,
           coalesce((array_agg(t.points_balance_after order by t.id desc))[1], 0) as last
    from enrollments e left join points_transactions t on t.tenant_id = e.tenant_id and t.enrollment_id = e.id
    where e.tenant_id = :tenant_id group by e.id, e.points_balance
"""
_TOLD = """
    select coalesce(payload::json #>> '{transaction,id}', payload::json ->> 'id')::bigint as id
    from outbox where tenant_id = :tenant_id and (event in ('loyalty.points_earned', 'loyalty.points_redeemed')
           or event = 'customer.updated' and payload::json #>> '{transaction,id}' is not null)
"""
