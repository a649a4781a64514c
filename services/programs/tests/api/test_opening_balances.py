"""What imported customers bring along, as the customers service asks for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, Row

from loyalty_common.database import transaction
from loyalty_programs.models import directory
from loyalty_testing.keys import IdentityKeys

Call = Callable[..., Any]
Rows = Callable[[str], list[Row[Any]]]
SINCE = "2019-03-10"


@pytest.fixture
def ask(client: FlaskClient, tenant_id: int, identity_keys: IdentityKeys) -> Call:
    """``ask(balance(…), …)``: by row what was refused, in an import of number 8."""

    def post(*balances: Any, import_id: int = 8) -> Any:
        token = identity_keys.signer("customers").mint("programs", tenant_id=tenant_id)
        body = {"import_id": import_id, "organization_id": tenant_id, "balances": balances}
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.post("/internal/opening-balances", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return {refused["row"]: refused["details"] for refused in answer.json["data"]["refused"]}

    return post


def balance(row: int, card: int, points: int, *, customer_id: int = 1042, **more: Any) -> dict[str, Any]:
    at = "2026-04-02T14:30:00+00:00"
    customer = {"id": customer_id, "name": "Alex", "email": f"c{customer_id}@example.com", "phone": None}
    customer |= {"external_id": None, "metadata": {}, "created_at": at, "updated_at": at}
    return {"row": row, "customer": customer, "version": 1, "loyalty_card_id": card, "points": points, **more}


def test_a_balance_makes_a_member_without_a_second_welcome(
    ask: Call, call: Call, insider: Any, rows: Rows, events: Any, books_balance: Any
) -> None:
    card = insider(initial_bonus_points=50, date_issued="2018-01-01")
    assert ask(balance(2, card, 120, member_since=SINCE)) == {}
    [booked] = call("GET", f"/loyalty-cards/{card}/transactions").json["data"]
    told = {"type": "adjust", "points_delta": 120, "points_balance_after": 120, "source": "import"}
    assert booked | told | {"purchase_reference": "import:8:row:2", "customer_id": 1042} == booked
    [(first, enrolled), (second, earned)] = events()
    assert (first, enrolled["source"], enrolled["initial_bonus_transactions"]) == ("loyalty.enrolled", "import", [])
    assert (
        enrolled["enrollment"]["created_at"] == "2019-03-10T05:00:00+00:00"
    )  # midnight in New York, an hour before DST
    assert (second, earned["id"], earned["source"]) == ("loyalty.points_earned", booked["id"], "import")
    books_balance()


def test_the_same_row_is_booked_once_however_often_it_is_asked_for(
    ask: Call, insider: Any, rows: Rows, books_balance: Any
) -> None:
    card = insider()
    batch = [balance(row, card, row, customer_id=1000 + row) for row in range(2, 42)]
    with ThreadPoolExecutor(8) as workers:
        assert list(workers.map(lambda _: ask(*batch), range(8))) == [{}] * 8
    assert len(rows("select 1 from points_transactions where tenant_id = :tenant_id")) == 40
    assert len(rows("select 1 from outbox where tenant_id = :tenant_id")) == 80
    books_balance()


def test_a_member_gets_it_on_top_and_a_person_may_come_twice(
    ask: Call, call: Call, alex: int, insider: Any, events: Any, books_balance: Any
) -> None:
    card = insider(initial_bonus_points=50)
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    assert ask(balance(2, card, 10), balance(3, card, 5), balance(4, card, 0)) == {}
    booked = call("GET", f"/loyalty-cards/{card}/transactions").json["data"]
    assert [row["points_balance_after"] for row in booked] == [65, 60, 50]
    assert [event for event, _ in events()].count("loyalty.enrolled") == 1
    books_balance()


def test_a_card_alone_makes_a_member_with_nothing(ask: Call, insider: Any, rows: Rows, events: Any) -> None:
    assert ask(balance(2, insider(), 0)) == {}
    [enrollment] = rows("select points_balance from enrollments where tenant_id = :tenant_id")
    assert enrollment.points_balance == 0
    assert [event for event, _ in events()] == ["loyalty.enrolled"]


def test_each_row_is_refused_for_itself(
    ask: Call, call: Call, insider: Any, engine: Engine, rows: Rows, books_balance: Any
) -> None:
    good, idle = insider(), insider(name="Old Points", is_active=False)
    refused = ask(
        balance(2, good, 5, customer_id=1),
        balance(3, 999_999, 5, customer_id=2),
        balance(4, idle, 5, customer_id=3),
        balance(5, good, 5, customer_id=4, member_since="2999-01-01"),
        balance(6, good, 5, customer_id=5, member_since="0001-01-01"),
        balance(7, good, 2**53, customer_id=6),
    )
    since = {"member_since": ["The member since field must be a day from 1900 until today."]}
    assert refused == {
        3: {"loyalty_card_id": ["The loyalty card does not exist."]},
        4: {"loyalty_card_id": ["Old Points is not active."]},
        5: since,
        6: since,
        7: {"points": ["The points balance may not go beyond 9007199254740991."]},
    }
    assert len(rows("select 1 from enrollments where tenant_id = :tenant_id")) == 1
    books_balance()


def test_another_tenants_card_does_not_exist(ask: Call, call: Call, insider: Any, tenant_id: int) -> None:
    card = {"name": "Theirs", "partner_location_id": 2}
    theirs = call("POST", "/loyalty-cards", card, tenant=tenant_id).json["data"]["id"]
    assert ask(balance(2, theirs + 1, 5)) == {2: {"loyalty_card_id": ["The loyalty card does not exist."]}}


def test_who_was_erased_here_gets_nothing(ask: Call, insider: Any, engine: Engine, tenant_id: int) -> None:
    with transaction(engine, tenant_id) as tx:
        directory.learn_customer(tx, customer=None, customer_id=1042, version=2, erased_at="2026-06-01T09:00:00+00:00")
    assert ask(balance(2, insider(), 5)) == {2: {"email": ["The customer does not exist."]}}


def test_a_reference_that_somebody_else_used_up_is_not_taken_for_ours(
    ask: Call, call: Call, alex: int, insider: Any
) -> None:
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    taken = {"customer_id": alex, "points": 5, "reference": "import:8:row:2"}
    assert call("POST", f"/loyalty-cards/{card}/transactions", taken).status_code == 201
    assert "reference" in ask(balance(2, card, 5))[2]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"import_id":1}', b'{"import_id":1,"organization_id":1,"balances":[{}]}']
)
def test_a_body_that_is_none_of_ours_is_400(client: FlaskClient, identity_keys: IdentityKeys, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {identity_keys.signer('customers').mint('programs', tenant_id=1)}"}
    assert client.post("/internal/opening-balances", data=body, headers=headers).status_code == 400
