"""The accounts database under a gateway that is at work."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from loyalty_gateway.domain import api_keys
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.scopes import OPERATORS

CARDS = "/api/v1/loyalty-cards"
LOCKED = text("lock table api_keys in access exclusive mode")
# Only these: the writer behind the requests may want to note when another key was used, and waits for the lock too.
WAITING_LOOK_UPS = text("""
    select count(*) from pg_stat_activity
     where application_name = 'gateway serve' and wait_event_type = 'Lock' and query ilike 'select%'
""")


@pytest.fixture
def waiting_look_ups(engine):
    # Within a transaction PostgreSQL would show the same moment again and again.
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as observer:
        yield lambda: observer.execute(WAITING_LOOK_UPS).scalar_one()


@pytest.fixture
def heard_key(gateway, upstream, engine, new_key, until):
    """A new key whose announcement has reached the gateway: until then it may be looked up twice, and rightly so."""
    key, later = new_key()["key"], new_key()
    assert gateway.ask("GET", CARDS, key=later["key"]).status == 200
    with engine.begin() as connection:
        of = {"organization_id": later["organization_id"], "api_key_id": later["id"]}
        api_keys.revoke(connection, **of, authority=OPERATORS, occasion=Occasion.of_operator(datetime.now(UTC)))
    # Announcements are heard in their order.
    until(lambda: gateway.ask("GET", CARDS, key=later["key"]).status == 401)
    return key


def test_a_look_up_that_waits_holds_up_nobody_else(
    gateway, upstream, engine, new_key, demo_key, waiting_look_ups, until
):
    """psycopg waits in its own C code unless gevent had patched the standard library before it was imported."""
    new = new_key()["key"]
    gateway.ask("GET", CARDS, key=demo_key)
    with engine.connect() as connection, ThreadPoolExecutor(1) as waiting:
        connection.execute(LOCKED)
        late = waiting.submit(gateway.ask, "GET", CARDS, key=new)
        until(lambda: waiting_look_ups() == 1)
        assert gateway.ask("GET", "/livez").status == 200
        assert gateway.ask("GET", CARDS, key=demo_key).status == 200
        assert waiting_look_ups() == 1
        connection.rollback()
        assert late.result().status == 200


def test_a_look_up_that_takes_too_long_is_an_outage_and_not_a_wrong_key(gateway, upstream, engine, new_key):
    key = new_key()["key"]
    with engine.connect() as connection:
        connection.execute(LOCKED)
        answer = gateway.ask("GET", CARDS, key=key)
    assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert gateway.ask("GET", CARDS, key=key).status == 200


def test_a_herd_with_one_new_key_looks_it_up_once(gateway, engine, heard_key, waiting_look_ups):
    with engine.connect() as connection, ThreadPoolExecutor(30) as herd:
        connection.execute(LOCKED)
        answers = [herd.submit(gateway.ask, "GET", CARDS, key=heard_key) for _ in range(30)]
        ends_at = time.monotonic() + 0.5
        most = 0
        while time.monotonic() < ends_at:
            most = max(most, waiting_look_ups())
        connection.rollback()
        assert {answer.result().status for answer in answers} == {200}
    assert most == 1
