"""The database goes away in the middle: nothing is credited twice, nothing is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

Call = Callable[..., Any]
SALE = {"customer_id": 1042, "amount": 24.50, "currency": "USD"}


@pytest.fixture
def path(call: Call, alex: int, insider: Callable[..., int]) -> str:
    card = insider(initial_bonus_points=0)
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return f"/loyalty-cards/{card}/transactions"


@pytest.fixture
def service_engine(client: FlaskClient) -> Engine:
    engine: Engine = client.application.extensions["engine"]
    return engine


@pytest.fixture(autouse=True)
def _no_dead_connections_for_others(service_engine: Engine) -> Iterator[None]:
    """The pool is everybody's: a statement that meets a dead connection is said twice, and others count statements."""
    yield
    service_engine.dispose()


@contextmanager
def once(engine: Engine, moment: str, act: Callable[[Any], None]) -> Iterator[list[str]]:
    """Does ``act`` with the connection the first time that ``moment`` comes."""
    done: list[str] = []

    def hook(connection: Any, *_: Any) -> None:
        if not done:
            done.append(moment)
            act(connection)

    event.listen(engine, moment, hook)
    try:
        yield done
    finally:
        event.remove(engine, moment, hook)


def kill(engine: Engine, connection: Any) -> None:
    pid = connection.connection.driver_connection.info.backend_pid
    with engine.connect() as other:
        other.exec_driver_sql("select pg_terminate_backend(%s, 5000)", (pid,))


def test_a_commit_whose_answer_is_lost_credits_once(
    call: Call,
    path: str,
    engine: Engine,
    service_engine: Engine,
    rows: Callable[[str], Any],
    books_balance: Callable[[], None],
) -> None:
    def commit_and_vanish(connection: Any) -> None:
        # The commit reaches the database, its answer never reaches us: the one that is waited for finds no server.
        connection.connection.driver_connection.commit()
        connection.exec_driver_sql("select 1")
        kill(engine, connection)

    with once(service_engine, "commit", commit_and_vanish) as done:
        answer = call("POST", path, SALE)
    assert done
    assert (answer.status_code, answer.json["data"]["points_balance_after"]) == (201, 2)
    assert len(rows("select 1 from points_transactions where tenant_id = :tenant_id")) == 1
    books_balance()


def test_a_connection_that_breaks_before_the_commit_credits_once(
    call: Call, path: str, engine: Engine, service_engine: Engine, books_balance: Callable[[], None]
) -> None:
    with once(service_engine, "commit", lambda connection: kill(engine, connection)) as done:
        answer = call("POST", path, SALE, key="POS-1")
    assert done
    assert (answer.status_code, answer.json["data"]["points_balance_after"]) == (201, 2)
    assert "Idempotent-Replayed" not in answer.headers
    books_balance()


def test_connections_that_died_in_the_pool_are_noticed_by_use(
    call: Call, path: str, engine: Engine, books_balance: Callable[[], None]
) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'programs serve'"
            " and datname = current_database()"
        )
    assert call("POST", path, SALE).status_code == 201
    books_balance()
