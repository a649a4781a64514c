"""The first page of a list costs what the last one does, with any filter, however long the list is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, Table, text

from loyalty_common import migrations
from loyalty_programs import models
from loyalty_programs.__main__ import MIGRATIONS
from loyalty_programs.app import create_app
from loyalty_programs.settings import Settings
from loyalty_testing.listing import ABOVE_ALL, expensive_pages, multiply
from loyalty_testing.postgres import Postgres

Call = Callable[..., Any]
ROWS = 2_000
IN_THE_MIDDLE = ABOVE_ALL + ROWS // 2


@pytest.fixture(scope="module")
def client(settings: Settings, postgres: Postgres) -> Iterator[FlaskClient]:
    """The service with a database of its own: so many rows would be in the way of others' tests."""
    settings = replace(settings, database_url=postgres.create_database("lists"))
    app = create_app(settings)
    migrations.upgrade(app.extensions["engine"], script_location=MIGRATIONS)
    yield app.test_client()
    app.extensions["engine"].dispose()


@pytest.fixture(scope="module")
def engine(client: FlaskClient) -> Engine:
    engine: Engine = client.application.extensions["engine"]
    return engine


@pytest.fixture
def one_of_each(call: Call, alex: int, sam: int, bring_a_friend: Call, refer: Call) -> dict[str, Any]:
    """Of what each list shows; its ids as paths name them, and what else can be asked for."""

    def made(path: str, body: Any) -> Any:
        answer = call("POST", path, body)
        assert answer.status_code == 201, answer.text
        return answer.json["data"]

    program = bring_a_friend([{"type": "custom"}])
    card, who = f"/loyalty-cards/{program['loyalty_card_id']}", {"customer_id": alex}
    refer(program, alex, sam)
    made(f"{card}/transactions", {**who, "amount": 1000, "currency": "USD", "reference": "POS-1"})
    made(f"{card}/redemptions", {**who, "points": 1, "reference": "POS-2"})
    reward = made(f"{card}/rewards", {"title": "Free pastry", "points_cost": 20})
    claim = made(f"{card}/rewards/{reward['id']}/claim", who)["claim"]
    club = made("/stamp-cards", {"name": "Coffee Club", "partner_location_id": 2, "stamps_required_for_reward": 2})
    made(f"/stamp-cards/{club['id']}/stamps", {**who, "quantity": 2, "reference": "POS-1"})
    now = datetime.now(UTC)
    window = {"from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}
    receipts = {"entries": [{"reference": "POS-9", "amount": 5, "currency": "USD"}]}
    made("/reconciliations", {"loyalty_card_id": program["loyalty_card_id"], **window, **receipts})
    return {
        "card_id": program["loyalty_card_id"],
        "stamp_card_id": club["id"],
        "referral_program_id": program["id"],
        # One that is on neither page which is measured: its 3,000 entries are counted wherever it is shown.
        "reconciliation_id": IN_THE_MIDDLE,
        "claim_code": claim["claim_code"],
        "member_number": call("GET", f"{card}/enrollments").json["data"][0]["member_number"],
    }


def others(one: str, other: str) -> str:
    """Every second row is somebody else's."""
    return f"case when n % 2 = 0 then (the.one).{one} else {other} end"


MEMBER = others("enrollment_id", f"{ABOVE_ALL} + n")
STAMPER = others("stamp_membership_id", f"{ABOVE_ALL} + n")
# What differs from row to row, besides the id.
THOUSANDS: list[tuple[Table, dict[str, str]]] = [
    (models.loyalty_cards, {"card_identifier": "'CARD-' || n"}),
    (models.enrollments, {"customer_id": "100000 + n", "member_number": "n::text"}),
    (models.points_transactions, {"enrollment_id": MEMBER, "reference": "'POS-0' || n"}),
    (models.redemptions, {"enrollment_id": MEMBER, "transaction_id": f"{ABOVE_ALL} + n"}),
    (models.loyalty_rewards, {}),
    (
        models.reward_claims,
        {"enrollment_id": MEMBER, "customer_id": others("customer_id", "100000 + n"), "claim_code": "'CLM-' || n"},
    ),
    (models.stamp_cards, {}),
    (models.stamp_memberships, {"customer_id": "100000 + n"}),
    (models.stamp_transactions, {"stamp_membership_id": STAMPER, "reference": "'POS-0' || n"}),
    (models.stamp_rewards, {"stamp_membership_id": STAMPER}),
    (models.reconciliations, {}),
    (
        models.reconciliation_entries,
        {"position": "n", "reconciliation_id": f"case when n > 9 then {IN_THE_MIDDLE} else {ABOVE_ALL} + n end"},
    ),
    (models.referral_programs, {}),
    (models.referrals, {"referred_customer_id": "100000 + n"}),
]
# A card has few rewards. A purchase may be posted long after it happened, if it was missing in a reconciliation: to
# look for what happened up to a day is to pass by what was recorded since.
APART = [
    ("/loyalty-cards/{card_id}/rewards", "is_active"),
    ("/loyalty-cards/{card_id}/transactions", "to"),
]


def test_every_page_of_every_list_costs_the_same(
    call: Call, engine: Engine, tenant_id: int, one_of_each: dict[str, Any], alex: int, sam: int, knows: Call
) -> None:
    with engine.begin() as connection:
        for table, columns in THOUSANDS:
            multiply(connection, table, owner_id=tenant_id, times=ROWS + 9, **columns)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    knows(7, "nobody@example.com")
    values = {
        "customer_id": [alex, sam, 7],
        "customer_email": ["alex@example.com", "sam@example.com", "nobody@example.com"],
        "referrer_customer_id": [alex, sam],
        "referred_customer_id": [alex, sam],
        "reference": ["POS-1", "POS-nothing"],
        "member_number": [one_of_each["member_number"], "none"],
        "claim_code": [one_of_each["claim_code"], "none"],
        "from": ["2000-01-01", "2020-01-01", "2999-01-01"],
        "to": ["2000-01-01", "2020-01-01", "2999-01-01"],
    }
    ids = {name: one_of_each[name] for name in one_of_each if name.endswith("_id")}
    expensive = expensive_pages("programs", call=call, engine=engine, ids=ids, values=values, rows=ROWS, apart=APART)
    assert not expensive, "\n".join(expensive)
