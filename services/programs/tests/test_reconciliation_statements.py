"""What a reconciliation costs the database: as many statements however many receipts."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

Call = Callable[..., Any]


@pytest.fixture
def statements(client: FlaskClient) -> Iterator[list[str]]:
    engine: Engine = client.application.extensions["engine"]
    said: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    yield said
    event.remove(engine, "before_cursor_execute", listen)


def test_receipts_are_compared_by_as_many_statements_however_many_they_are(
    call: Call, alex: int, insider: Callable[..., int], statements: list[str]
) -> None:
    now, card = datetime.now(UTC), insider(auto_enroll=True)
    window = {"from": (now - timedelta(hours=9)).isoformat(), "to": now.isoformat()}
    receipts = [{"reference": f"POS-{n}", "amount": 1, "currency": "USD", "customer_id": alex} for n in range(50)]
    for count in (1, 50):
        statements.clear()
        made = call("POST", "/reconciliations", {"loyalty_card_id": card, **window, "entries": receipts[:count]})
        assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT", "SELECT", "WITH"]
    made_at = f"/reconciliations/{made.json['data']['id']}"
    assert call("POST", f"{made_at}/apply").json["data"]["status"] == "applied"
    for listing in (made_at, f"{made_at}/entries?status=missing", "/reconciliations?cursor="):
        assert call("GET", listing).status_code == 200
    ours = [statement for statement in statements if re.search(r"\breconciliation", statement)]
    assert len(ours) > 100
    assert [statement for statement in ours if "%(tenant_id)s" not in statement] == []
