"""Points expire at local midnight: by the job, and for whoever wants to spend them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from loyalty_common import database
from loyalty_common.idempotency import RequestKey
from loyalty_programs.domain import expiry, expiry_facts, redemptions
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.errors import InsufficientPoints
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.jobs.expiry import expire_points
from loyalty_programs.models import directory

Call = Callable[..., Any]
Books = Callable[[], None]
Events = Callable[[], list[tuple[str, Any]]]
Lots = Callable[..., str]
A_SECOND = timedelta(seconds=1)
# The instant after the last day, where clocks are changed on that day or at its end.
MIDNIGHTS = [
    ("America/New_York", date(2027, 3, 14), datetime(2027, 3, 15, 4, tzinfo=UTC)),
    ("America/New_York", date(2027, 3, 13), datetime(2027, 3, 14, 5, tzinfo=UTC)),
    ("America/New_York", date(2027, 11, 7), datetime(2027, 11, 8, 5, tzinfo=UTC)),
    ("Asia/Beirut", date(2027, 3, 27), datetime(2027, 3, 27, 22, tzinfo=UTC)),
    ("America/Havana", date(2027, 11, 6), datetime(2027, 11, 7, 4, tzinfo=UTC)),
    ("Pacific/Kiritimati", date(2027, 5, 16), datetime(2027, 5, 16, 10, tzinfo=UTC)),
    ("Pacific/Pago_Pago", date(2027, 5, 16), datetime(2027, 5, 17, 11, tzinfo=UTC)),
]


@pytest.fixture
def lots(call: Call, insider: Callable[..., int], engine: Engine, tenant_id: int) -> Lots:
    """``lots(1042, (5, day), (7, None))``: a new card on which the customer has these points; its path."""

    def give(customer_id: int, *stock: tuple[int, date | None], card: int = 0) -> str:
        path = f"/loyalty-cards/{card or insider(auto_enroll=True, initial_bonus_points=0)}"
        for points, day in stock:
            response = call("POST", f"{path}/transactions", {"customer_id": customer_id, "points": points})
            named = {"tenant_id": tenant_id, "id": response.json["data"]["id"], "day": day}
            with engine.begin() as connection:
                ends = "update points_transactions set expires_on = :day where tenant_id = :tenant_id and id = :id"
                connection.execute(text(ends), named)
        return path

    return give


@pytest.fixture
def expire(engine: Engine) -> Callable[[datetime], int]:
    return lambda at: expire_points(engine, now=lambda: at)


@pytest.fixture
def moves(engine: Engine, tenant_id: int) -> Callable[[str], None]:
    """``moves("Asia/Beirut")``: the partner location of all cards is there."""

    def learn(time_zone: str) -> None:
        location = {"id": 2, "name": "Riverside", "time_zone": time_zone, "is_active": True}
        with engine.begin() as connection:
            directory.learn_location(connection, location=location, organization_id=tenant_id, version=2)

    return learn


def balance(rows: Any) -> list[int]:
    return [row.points_balance for row in rows("select * from enrollments where tenant_id = :tenant_id order by id")]


@pytest.mark.parametrize(("time_zone", "last_day", "midnight"), MIDNIGHTS)
def test_points_live_to_the_end_of_their_last_day_where_the_card_is_at_home(
    lots: Lots,
    alex: int,
    moves: Callable[[str], None],
    expire: Callable[[datetime], int],
    rows: Any,
    books_balance: Books,
    time_zone: str,
    last_day: date,
    midnight: datetime,
) -> None:
    moves(time_zone)
    lots(alex, (5, last_day), (7, last_day + timedelta(days=1)), (9, None))
    expire(midnight - A_SECOND)
    assert balance(rows) == [21]
    expire(midnight)
    assert balance(rows) == [16]
    books_balance()


@pytest.mark.parametrize(("time_zone", "last_day", "midnight"), MIDNIGHTS)
def test_points_can_be_spent_to_the_same_instant_whether_the_job_runs_or_not(
    lots: Lots,
    alex: int,
    moves: Callable[[str], None],
    engine: Engine,
    tenant_id: int,
    time_zone: str,
    last_day: date,
    midnight: datetime,
) -> None:
    moves(time_zone)
    card = int(lots(alex, (5, last_day), (7, None)).split("/")[2])

    def redeem(points: int, at: datetime) -> None:
        act = Act(RequestKey(f"{points} {at}", ""), tenant_id, "api", at, lambda _: 0)
        with database.transaction(engine, tenant_id) as tx:
            redemptions.redeem(
                tx,
                card_id=card,
                customer=CustomerName(customer_id=alex),
                points=points,
                receipt=Receipt(occurred_at=at),
                act=act,
            )

    with pytest.raises(InsufficientPoints, match="balance of 7 points"):
        redeem(8, midnight)
    redeem(12, midnight - A_SECOND)


def test_a_run_writes_one_row_a_member_and_publishes_it(
    lots: Lots, alex: int, expire: Callable[[datetime], int], rows: Any, events: Events, call: Call
) -> None:
    path = lots(alex, (5, date(2027, 5, 16)), (7, date(2027, 5, 17)), (9, date(2027, 5, 18)))
    at = datetime(2027, 5, 18, 12, tzinfo=UTC)
    assert expire(at) >= 1
    [row] = call("GET", f"{path}/transactions?type=expire").json["data"]
    assert (row["points_delta"], row["points_balance_after"], row["source"]) == (-12, 9, "system")
    assert (row["occurred_at"], row["purchase_reference"]) == ("2027-05-18T12:00:00+00:00", None)
    name, told = events()[-1]
    assert (name, told["changed"], told["transaction"], told["source"]) == (
        "customer.updated",
        ["points_balance"],
        row,
        "system",
    )
    assert (told["enrollment"]["points_balance"], told["customer"]["email"]) == (9, "alex@example.com")
    taken = rows("select points from lot_spends where tenant_id = :tenant_id order by lot_transaction_id")
    assert [spend.points for spend in taken] == [5, 7]
    expire(at)
    assert len(call("GET", f"{path}/transactions?type=expire").json["data"]) == 1


def test_points_given_back_after_their_end_expire_again(
    lots: Lots, alex: int, expire: Callable[[datetime], int], call: Call, rows: Any, books_balance: Books
) -> None:
    path = lots(alex, (5, datetime.now(UTC).date() + timedelta(days=3)))
    redemption = call("POST", f"{path}/redemptions", {"customer_id": alex, "points": 5}).json["data"]
    later = datetime.now(UTC) + timedelta(days=6)
    expire(later)
    call("POST", f"{path}/transactions/{redemption['transaction']['id']}/reverse")
    assert balance(rows) == [5]
    expire(later)
    assert balance(rows) == [0]
    books_balance()


def test_an_erased_customers_points_expire_too(
    lots: Lots, alex: int, expire: Callable[[datetime], int], engine: Engine, tenant_id: int, events: Events
) -> None:
    lots(alex, (5, date(2027, 5, 16)))
    with engine.begin() as connection:
        gone = "update customer_directory set profile = null, erased_at = now() where tenant_id = :tenant_id"
        connection.execute(text(gone), {"tenant_id": tenant_id})
    expire(datetime(2027, 5, 18, tzinfo=UTC))
    assert events()[-1][1]["customer"] == {"id": alex, "name": None, "email": None, "phone": None}


def test_expiry_beside_traffic_and_beside_itself_takes_each_lot_once(
    lots: Lots, alex: int, knows: Callable[..., int], expire: Any, call: Call, books_balance: Books, rows: Any
) -> None:
    card = int(lots(alex, (5, date(2027, 5, 16)), (50, None)).split("/")[2])
    for customer in range(2000, 2020):
        lots(knows(customer, f"c{customer}@example.com"), (5, date(2027, 5, 16)), (50, None), card=card)
    at = datetime(2027, 5, 18, tzinfo=UTC)
    path = f"/loyalty-cards/{card}/transactions"

    def work(turn: int) -> Any:
        if turn % 3 == 0:
            return expire(at)
        return call("POST", path, {"customer_id": 2000 + turn % 20, "points": -3 if turn % 3 == 1 else 2}).status_code

    with ThreadPoolExecutor(12) as workers:
        answers = list(workers.map(work, range(60)))
    assert {answer for turn, answer in enumerate(answers) if turn % 3} == {201}
    expire(at)
    books_balance()
    lots_left = rows("select expires_on from points_transactions where tenant_id = :tenant_id and points_remaining > 0")
    assert {lot.expires_on for lot in lots_left} == {None}
    written = "select enrollment_id from points_transactions where tenant_id = :tenant_id and type = 'expire'"
    assert len(rows(written)) == len(set(rows(written))) <= 21


def test_jobs_side_by_side_share_the_work_and_neither_waits_for_the_other(
    lots: Lots,
    knows: Callable[..., int],
    expire: Callable[[datetime], int],
    engine: Engine,
    tenant_id: int,
    rows: Any,
    books_balance: Books,
) -> None:
    card = 0
    for customer in range(2000, 2006):
        path = lots(knows(customer, f"c{customer}@example.com"), (5, date(2027, 5, 16)), card=card)
        card = int(path.rpartition("/")[2])
    due: dict[str, Any] = {"days": {card: date(2027, 5, 18)}, "at": datetime(2027, 5, 18, tzinfo=UTC)}
    written = "select enrollment_id from points_transactions where tenant_id = :tenant_id and type = 'expire'"
    # Whoever waits for the first, which ends last, does so until lock_timeout fails the test.
    with database.transaction(engine, tenant_id) as first:
        assert expiry.expire(first, **due, batch=2) == 2
        with database.transaction(engine, tenant_id) as second:
            assert expiry.expire(second, **due, batch=2) == 2, "of those who are left"
        expire(due["at"])
        assert len(rows(written)) == 4, "the first has not committed its two"
        with database.transaction(engine, tenant_id) as third:
            assert expiry.expire(third, **due) == 0
    assert len(set(rows(written))) == len(rows(written)) == 6
    books_balance()


def test_due_lots_are_found_without_looking_through_the_ledger(engine: Engine, tenant_id: int) -> None:
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    try:
        with engine.connect() as connection:
            list(expiry_facts.due_cards(connection, at=datetime.now(UTC)))
        with database.transaction(engine, tenant_id) as tx:
            expiry_facts.lock_and_load(tx, days={1: date(2027, 5, 16)}, batch=200, at=datetime.now(UTC))
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    with engine.begin() as connection:
        connection.exec_driver_sql("set local enable_seqscan = off")
        for statement, parameters in asked:
            plan = "\n".join(connection.exec_driver_sql(f"explain {statement}", parameters).scalars())
            assert "ix_points_transactions_due" in plan, plan
            assert "Seq Scan on points_transactions" not in plan, plan
