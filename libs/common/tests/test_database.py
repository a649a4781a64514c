from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, event, literal, select, text

from loyalty_common import database
from loyalty_common.database import Conflict, Transaction, perform
from loyalty_common.errors import RequestInProgress, Unavailable
from loyalty_common.idempotency import (
    Reply,
    RequestKey,
    fingerprint,
    idempotency_row,
    replay_columns,
    same_key,
    stored_reply,
)
from loyalty_common.record import Record

Rows = Callable[[Any], list[dict[str, Any]]]
NOW = datetime(2026, 5, 16, 10, 12, tzinfo=UTC)


@pytest.fixture
def credit(ledger: Any) -> Callable[[Transaction, str], Reply]:
    """Lock, load, decide, record: five more on the account of the transaction's tenant, once per key."""
    accounts, entries, idempotency = ledger.accounts, ledger.entries, ledger.idempotency
    lock = text("select id from accounts where tenant_id = :tenant_id and id = 1 for update")
    facts = select(literal(1).label("one")).subquery()
    load = select(accounts.c.version, accounts.c.balance, *replay_columns(idempotency)).select_from(
        facts.outerjoin(accounts, accounts.c.tenant_id == bindparam("tenant_id")).outerjoin(
            idempotency, same_key(idempotency)
        )
    )
    record = Record(guard=(accounts, ("balance",)), inserts=(entries, idempotency))

    def operation(tx: Transaction, key: str) -> Reply:
        request = RequestKey(key, fingerprint("POST", "/credits", {}))
        tx.execute(lock)
        loaded = tx.execute(load, {"idempotency_key": key}).one()
        reply = stored_reply(loaded, request)
        if reply is None:
            balance = loaded.balance + 5
            reply = Reply(201, {"balance": balance})
            rows = {entries: [{"id": balance, "delta": 5}], idempotency: [idempotency_row(request, reply, at=NOW)]}
            record.write(tx, rows, guard=[{"id": 1, "version": loaded.version, "balance": balance}])
        return reply

    return operation


def test_forty_writers_of_one_row_queue_and_lose_nothing(ledger: Any, credit: Any, rows_of: Rows) -> None:
    with ThreadPoolExecutor(40) as tills:
        answers = list(tills.map(lambda n: perform(ledger.engine, 1, lambda tx: credit(tx, f"key-{n}")), range(40)))
    assert sorted(answer.data["balance"] for answer in answers) == list(range(5, 205, 5))
    assert rows_of(ledger.accounts)[0]["balance"] == sum(row["delta"] for row in rows_of(ledger.entries)) == 200


def test_one_key_sent_forty_times_at_once_has_one_effect(ledger: Any, credit: Any, rows_of: Rows) -> None:
    with ThreadPoolExecutor(40) as tills:
        answers = list(tills.map(lambda _: perform(ledger.engine, 1, lambda tx: credit(tx, "key")), range(40)))
    assert {answer.data["balance"] for answer in answers} == {5}
    assert sum(not answer.replayed for answer in answers) == 1
    assert len(rows_of(ledger.entries)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_commit_whose_answer_is_lost_credits_once(ledger: Any, credit: Any, rows_of: Rows, moment: str) -> None:
    """The server ends the connection around COMMIT: the writer cannot know whether it counted."""
    lost = iter([True])

    def lose(connection: Any) -> None:
        if next(lost, False):
            raw = connection.connection.driver_connection
            if moment == "after":
                raw.commit()
                raw.execute("select 1")  # so that the COMMIT that follows has something to lose its answer with
            _end_session(ledger, raw.info.backend_pid)

    event.listen(ledger.engine, "commit", lose)
    try:
        reply = perform(ledger.engine, 1, lambda tx: credit(tx, "key"))
    finally:
        event.remove(ledger.engine, "commit", lose)
    assert next(lost, None) is None
    assert (reply.data, reply.replayed) == ({"balance": 5}, moment == "after")
    assert rows_of(ledger.accounts)[0]["balance"] == 5


def _end_session(ledger: Any, pid: int) -> None:
    url = ledger.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", [pid])


def test_a_conflict_is_run_again_until_it_is_none(ledger: Any) -> None:
    runs = iter([Conflict(), Conflict(), None])

    def operation(_: Transaction) -> str:
        failure = next(runs)
        if failure:
            raise failure
        return "done"

    assert perform(ledger.engine, 1, operation) == "done"


def test_a_conflict_that_never_ends_is_said_to_be_in_progress(ledger: Any) -> None:
    def operation(_: Transaction) -> None:
        raise Conflict

    with pytest.raises(RequestInProgress) as caught:
        perform(ledger.engine, 1, operation)
    assert caught.value.headers == {"Retry-After": "1"}


def test_what_cannot_succeed_is_not_run_again(ledger: Any) -> None:
    runs = []

    def operation(tx: Transaction) -> None:
        runs.append(1)
        tx.execute(text("select 1 / 0"))

    with pytest.raises(Exception, match="division by zero"):
        perform(ledger.engine, 1, operation)
    assert len(runs) == 1


def test_a_database_that_is_away_is_unavailable(ledger: Any) -> None:
    nobody = database.create_engine("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1, application_name="tests")
    with pytest.raises(Unavailable) as caught:
        perform(nobody, 1, lambda tx: tx.execute(text("select 1")))
    assert caught.value.headers["Retry-After"] == "1"


def test_the_fingerprint_does_not_depend_on_how_the_request_was_written() -> None:
    one = fingerprint("POST", "/v1/x", {"amount": Decimal("24.50"), "n": 24, "reference": "A"})
    same = fingerprint("POST", "/v1/x", {"reference": "A", "n": Decimal("24.0"), "amount": Decimal("24.5")})
    other = fingerprint("POST", "/v1/y", {"amount": Decimal("24.50"), "n": 24, "reference": "A"})
    assert one == same != other
