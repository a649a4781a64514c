"""Every list, download and timeline is read from an index that gives its order: no page costs what lies before it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Select, event, text

from loyalty_common import database, migrations
from loyalty_common.database import Transaction
from loyalty_testing.postgres import Postgres
from loyalty_vouchers.__main__ import MIGRATIONS
from loyalty_vouchers.domain import customer_records, queries, streams
from loyalty_vouchers.domain.dates import Period

Plan = Callable[..., str]
SPRING = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
NO_VOUCHER_FILTER = dict.fromkeys(("search", "is_active", "voucher_batch_id", "partner_location_id"))
NO_REDEMPTION_FILTER = dict.fromkeys(("customer_id", "customer_email", "status", "order_reference"))

# Nearly all of one kind, so that whoever asks for another has a long way without an index.
_VOUCHERS = """
insert into vouchers (tenant_id, id, organization_id, partner_location_id, voucher_batch_id, name, voucher_code,
    is_active, discount_type, discount_value, currency, created_at, updated_at)
select 1, n, 1, case when n % 1000 = 7 then 3 else 2 end, case when n % 100 = 7 then n % 3 when n > 14000 then 9 end,
    'May mailing', 'MAY-' || md5(n::text), n % 1000 <> 7, 'fixed', 5, 'USD',
    '2026-05-01'::timestamptz + n * interval '1 minute', now()
from generate_series(1, 20000) n
"""
_REDEMPTIONS = """
insert into redemptions (tenant_id, id, voucher_id, customer_id, voucher_code, order_amount, discount_amount, currency,
    order_reference, source, redeemed_at, rolled_back_at, created_at)
select 1, n, 3, case when n % 1000 = 7 then 1042 else 7 end, 'X', 45, 5, 'USD', 'POS-' || n, 'api', at,
    case when n % 1000 = 7 then at end, at
from (select n, '2026-01-01'::timestamptz + n * interval '10 minutes' as at from generate_series(1, 30000) n) as sold
"""
_CUSTOMER = (
    "insert into customer_directory (tenant_id, customer_id, email, version) values (1, 1042, 'a@example.com', 1)"
)


@pytest.fixture(scope="module")
def busy(postgres: Postgres) -> Iterator[Engine]:
    """A tenant with 20,000 vouchers, a third of them in a batch, and 30,000 redemptions of one."""
    engine = database.create_engine(postgres.create_database("busy"), pool_size=2, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.begin() as connection:
        for statement in (_VOUCHERS, _REDEMPTIONS, _CUSTOMER):
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    yield engine
    engine.dispose()


@pytest.fixture
def plan(busy: Engine) -> Plan:
    def explained(statement: str, parameters: Any) -> str:
        with busy.connect() as connection:
            return "\n".join(connection.exec_driver_sql(f"explain {statement}", parameters).scalars())

    return explained


@pytest.fixture
def listed(busy: Engine, plan: Plan) -> Plan:
    def first_page(rows: Select[Any], by: Any) -> str:
        page = rows.order_by(by[0].desc(), by[1].desc()).limit(15).params(tenant_id=1).compile(busy)
        return plan(str(page), page.params)

    return first_page


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "ix_vouchers_newest"),
        ({"is_active": "true"}, "ix_vouchers_newest"),
        ({"is_active": "false"}, "ix_vouchers_active"),
        ({"voucher_batch_id": 2}, "ix_vouchers_batch"),
        ({"partner_location_id": 3}, "ix_vouchers_location"),
    ],
)
def test_vouchers_are_listed_by_index(filters: dict[str, Any], index: str, listed: Plan) -> None:
    page = listed(queries.vouchers({**NO_VOUCHER_FILTER, **filters}), queries.VOUCHERS_NEWEST)
    assert index in page or (filters.get("is_active") == "true" and "ix_vouchers_active" in page)
    assert "Sort" not in page


def test_a_part_of_a_code_is_found_by_index_where_the_server_can(busy: Engine, listed: Plan) -> None:
    with busy.connect() as connection:
        if not connection.execute(text("select to_regclass('ix_vouchers_search')")).scalar_one():
            pytest.skip("this server has no pg_trgm and btree_gin")
    rows = queries.vouchers({**NO_VOUCHER_FILTER, "search": "c4ca4238"})
    assert "ix_vouchers_search" in listed(rows, queries.VOUCHERS_NEWEST)


@pytest.mark.parametrize(
    ("filters", "period", "index"),
    [
        ({}, Period(), "ix_redemptions_newest"),
        ({}, SPRING, "ix_redemptions_newest"),
        ({"status": "redeemed"}, Period(), "ix_redemptions_newest"),
        ({"status": "rolled_back"}, Period(), "ix_redemptions_rolled_back"),
        ({"customer_id": 1042}, Period(), "ix_redemptions_by_customer"),
        ({"customer_email": "a@example.com"}, Period(), "ix_redemptions_by_customer"),
    ],
)
def test_redemptions_are_listed_by_index(filters: dict[str, Any], period: Period, index: str, listed: Plan) -> None:
    rows = queries.redemptions({**NO_REDEMPTION_FILTER, **filters}, voucher_id=3, period=period)
    page = listed(rows, queries.REDEMPTIONS_NEWEST)
    assert f"{index} on redemptions" in page
    assert "Sort" not in page
    # It begins at the end of the period, not at the newest.
    assert period is not SPRING or "created_at < " in page[page.index("Index Cond") : page.index("Filter")]


def test_an_order_reference_is_found_by_index_whether_it_stands_or_not(listed: Plan) -> None:
    rows = queries.redemptions({**NO_REDEMPTION_FILTER, "order_reference": "POS-1"}, voucher_id=3, period=Period())
    page = listed(rows, queries.REDEMPTIONS_NEWEST)
    assert "ux_redemptions_order_reference" in page
    assert "ix_redemptions_former_order_reference" in page


@contextmanager
def _noted(engine: Engine, said: list[tuple[str, Any]]) -> Iterator[Transaction]:
    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        with database.transaction(engine, 1) as tx:
            yield tx
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda read: streams.vouchers_of_batch(read, voucher_batch_id=9), "ix_vouchers_batch"),
        (lambda read: streams.redemptions(read, period=Period()), "ix_redemptions_redeemed_at"),
    ],
    ids=["codes", "export"],
)
def test_a_download_reads_each_piece_by_index(
    read: Callable[[Callable[[], AbstractContextManager[Transaction]]], Iterator[Any]],
    index: str,
    busy: Engine,
    plan: Plan,
) -> None:
    said: list[tuple[str, Any]] = []
    rows = [row.id for row in read(lambda: _noted(busy, said))]
    assert len(rows) == len(set(rows)) > 1000
    assert len(said) == len(rows) // 1000 + 1
    for statement in (said[0], said[-1]):
        assert index in plan(*statement)
        assert "Sort" not in plan(*statement).replace("Incremental Sort", "")


def test_timelines_are_read_by_index(busy: Engine, plan: Plan) -> None:
    said: list[tuple[str, Any]] = []
    with _noted(busy, said) as tx:
        customer_records.timeline(tx, customer_id=1042, before=SPRING.until, limit=50)
    page = plan(*said[0])
    assert "ix_redemptions_timeline" in page
    assert "ix_redemptions_rolled_back_timeline" in page
