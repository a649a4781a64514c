"""The accounts database under a gateway that is at work."""

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

CARDS = "/api/v1/loyalty-cards"


def test_a_look_up_that_waits_holds_up_nobody_else(gateway, upstream, engine, new_key, demo_key):
    """psycopg waits in its own C code unless gevent had patched the standard library before it was imported."""
    new = new_key()["key"]
    gateway.ask("GET", CARDS, key=demo_key)
    with engine.connect() as connection, ThreadPoolExecutor(1) as waiting:
        connection.execute(text("lock table api_keys in access exclusive mode"))
        late = waiting.submit(gateway.ask, "GET", CARDS, key=new)
        time.sleep(0.3)  # Only lets the look-up begin; the proof does not depend on it.
        started = time.monotonic()
        assert gateway.ask("GET", "/livez").status == 200
        assert gateway.ask("GET", CARDS, key=demo_key).status == 200
        took = time.monotonic() - started
        assert not late.done()
        connection.rollback()
        assert late.result().status == 200
    assert took < 1


def test_a_look_up_that_takes_too_long_is_an_outage_and_not_a_wrong_key(gateway, upstream, engine, new_key):
    key = new_key()["key"]
    with engine.connect() as connection:
        connection.execute(text("lock table api_keys in access exclusive mode"))
        answer = gateway.ask("GET", CARDS, key=key)
    assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert gateway.ask("GET", CARDS, key=key).status == 200


def test_a_herd_with_one_new_key_looks_it_up_once(gateway, upstream, engine, new_key):
    key = new_key()["key"]
    waiting = text(
        "select count(*) from pg_stat_activity where application_name = 'gateway serve' and wait_event_type = 'Lock'"
    )
    with engine.connect() as connection, engine.connect() as observer, ThreadPoolExecutor(30) as herd:
        connection.execute(text("lock table api_keys in access exclusive mode"))
        answers = [herd.submit(gateway.ask, "GET", CARDS, key=key) for _ in range(30)]
        ends_at = time.monotonic() + 0.5
        most = 0
        while time.monotonic() < ends_at:
            most = max(most, observer.execute(waiting).scalar_one())
        connection.rollback()
        assert {answer.result().status for answer in answers} == {200}
    assert most == 1
