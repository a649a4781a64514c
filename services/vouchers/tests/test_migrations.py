from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from loyalty_common import database, migrations
from loyalty_testing.postgres import Postgres
from loyalty_vouchers.__main__ import MIGRATIONS
from loyalty_vouchers.models import Base

_REDEMPTION = text(
    "insert into redemptions (tenant_id, id, voucher_id, customer_id, voucher_code, order_amount, discount_amount,"
    " currency, order_reference, source, redeemed_at, created_at)"
    " values (1, :id, 3, 1042, 'SPRING20', 45, 9, 'USD', :order_reference, 'api', now(), now())"
)
_ROLL_BACK = text("update redemptions set rolled_back_at = now() where tenant_id = 1 and id = :id")


@pytest.fixture
def migrated(postgres: Postgres) -> Iterator[Engine]:
    engine = database.create_engine(postgres.create_database("migrated"), pool_size=3, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    yield engine
    engine.dispose()


def standing(engine: Engine) -> int:
    with engine.connect() as connection:
        counts = "select sum(redemptions_count) from redemption_counts where tenant_id = 1 and voucher_id = 3"
        return int(connection.execute(text(counts)).scalar_one())


def _is_everywhere(_: object, name: str | None, *__: object) -> bool:
    """One index depends on what the server can do."""
    return name != "ix_vouchers_search"


def test_the_migrations_make_the_tables_of_the_models(migrated: Engine) -> None:
    with migrated.connect() as connection:
        options = {"compare_server_default": True, "include_object": _is_everywhere}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(migrated: Engine) -> None:
    migrations.upgrade(migrated, script_location=MIGRATIONS)


def test_no_two_migrations_were_made_side_by_side() -> None:
    assert len(migrations.heads(MIGRATIONS)) == 1


def test_a_redemption_counts_until_it_is_rolled_back(migrated: Engine) -> None:
    with migrated.begin() as connection:
        for redemption_id in range(1, 41):
            connection.execute(_REDEMPTION, {"id": redemption_id, "order_reference": None})
    assert standing(migrated) == 40
    with migrated.begin() as connection:
        connection.execute(_ROLL_BACK, {"id": 17})
    with migrated.begin() as connection:
        connection.execute(_ROLL_BACK, {"id": 17})
    assert standing(migrated) == 39


def test_an_order_reference_is_used_once_until_it_is_rolled_back(migrated: Engine) -> None:
    with migrated.begin() as connection:
        connection.execute(_REDEMPTION, {"id": 1, "order_reference": "POS-88423"})
    with pytest.raises(IntegrityError, match="ux_redemptions_order_reference"), migrated.begin() as connection:
        connection.execute(_REDEMPTION, {"id": 2, "order_reference": "POS-88423"})
    with migrated.begin() as connection:
        connection.execute(_ROLL_BACK, {"id": 1})
        connection.execute(_REDEMPTION, {"id": 3, "order_reference": "POS-88423"})
