"""Sessions and the row of their user, which whoever begins or ends one holds."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from loyalty_gateway.domain import sessions, users
from loyalty_gateway.domain.actors import Actor
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.errors import SignInRefused
from loyalty_gateway.domain.sessions import Minted


@pytest.mark.parametrize("change", ["password_hash = 'of another password'", "status = 'disabled'"])
def test_whoever_was_changed_since_his_password_was_checked_is_not_signed_in(engine, new_organization, change):
    """No transaction is open while it is checked: what it was checked against must still stand."""
    of = {"organization_id": new_organization()["id"], "name": "Robin", "role": "owner", "status": "active"}
    with engine.begin() as connection:
        known = users.add(connection, email=f"changed{of['organization_id']}@example.com", password_hash="$", **of)
        connection.execute(text(f"update users set {change} where id = :id"), {"id": known["id"]})
        minted = Minted.of(bytes(40), peppers={1: b"p" * 32})
        occasion = Occasion(Actor("user", known["id"], "Robin"), datetime.now(UTC))
        with pytest.raises(SignInRefused):
            sessions.sign_in(connection, known, mode="live", minted=minted, occasion=occasion)
