"""Signing secrets move to the newest key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common import database, migrations
from loyalty_testing.postgres import Postgres
from loyalty_webhooks.__main__ import MIGRATIONS
from loyalty_webhooks.domain.resealing import reseal
from loyalty_webhooks.domain.secret_box import SecretBox

OLD, NEW = bytes([1] * 32), bytes([2] * 32)
COUNT = 250
SEALED = "select tenant_id, id, sealed_secret, previous_sealed_secret from webhook_endpoints order by tenant_id, id"


class DyingBox(SecretBox):
    """Its process is killed after so many secrets."""

    left = 130

    def seal(self, signing_secret: str, **of: Any) -> str:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return super().seal(signing_secret, **of)


@pytest.fixture
def sealed(postgres: Postgres) -> Iterator[Engine]:
    """A database of this test's own with 250 endpoints of three tenants, all sealed with the old key."""
    engine = database.create_engine(postgres.create_database("resealing"), pool_size=2, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    box = SecretBox({1: OLD})
    made = [
        {
            "tenant_id": number % 3 + 1,
            "id": number,
            "sealed": box.seal(f"whsec_{number}", tenant_id=number % 3 + 1, endpoint_id=number),
            "previous": box.seal(f"whsec_old_{number}", tenant_id=number % 3 + 1, endpoint_id=number)
            if number % 5 == 0
            else None,
        }
        for number in range(1, COUNT + 1)
    ]
    with engine.begin() as connection:
        connection.execute(
            text("""
                insert into webhook_endpoints (tenant_id, id, version, url, events, is_active, max_in_flight,
                    sealed_secret, previous_sealed_secret, previous_secret_expires_at, signing_secret_hint, created_at,
                    updated_at)
                values (:tenant_id, :id, 1, 'https://hooks.example.com/', '{*}', true, 32, :sealed, :previous,
                    now() + interval '1 h', 'whsec_…', now(), now())
            """),
            made,
        )
    yield engine
    engine.dispose()


def opened(engine: Engine, box: SecretBox) -> dict[int, list[str]]:
    with engine.connect() as connection:
        rows = connection.execute(text(SEALED)).all()
    return {row.id: box.open_all(*row[2:], tenant_id=row.tenant_id, endpoint_id=row.id) for row in rows}


def test_the_old_key_can_go_once_all_is_sealed_with_the_new_one(sealed: Engine) -> None:
    both = SecretBox({1: OLD, 2: NEW})
    before = opened(sealed, both)
    assert reseal(sealed, both) == COUNT
    assert reseal(sealed, both) == 0
    assert opened(sealed, SecretBox({2: NEW})) == before


def test_what_was_interrupted_is_taken_up_where_it_stopped(sealed: Engine) -> None:
    before = opened(sealed, SecretBox({1: OLD}))
    with pytest.raises(KeyboardInterrupt):
        reseal(sealed, DyingBox({1: OLD, 2: NEW}))
    both = SecretBox({1: OLD, 2: NEW})
    assert opened(sealed, both) == before
    assert reseal(sealed, both) == COUNT - 100  # the first batch was committed
    assert opened(sealed, SecretBox({2: NEW})) == before


def test_a_secret_whose_key_is_gone_is_left_as_it_is_and_holds_up_no_other(sealed: Engine) -> None:
    lost = SecretBox({7: bytes([7] * 32)}).seal("whsec_lost", tenant_id=2, endpoint_id=1)
    with sealed.begin() as connection:
        connection.execute(text("update webhook_endpoints set sealed_secret = :lost where id = 1"), {"lost": lost})
    assert reseal(sealed, SecretBox({1: OLD, 2: NEW})) == COUNT - 1
    with sealed.connect() as connection:
        kept = connection.execute(text("select sealed_secret from webhook_endpoints where id = 1")).scalar_one()
    assert kept == lost
