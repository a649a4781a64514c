"""What a purchase costs the database, and that every statement names its tenant."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from loyalty_programs.models import Base

Call = Callable[..., Any]
TENANTS = {name for name, table in Base.metadata.tables.items() if "tenant_id" in table.c}
SALE = {"customer_email": "alex@example.com", "amount": 24.50, "currency": "USD"}


@pytest.fixture
def statements(client: FlaskClient) -> Iterator[list[str]]:
    """What the service says to the database from now on, commits and rollbacks included."""
    engine: Engine = client.application.extensions["engine"]
    said: list[str] = []

    def execute(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    def commit(_c: Any) -> None:
        said.append("COMMIT")

    event.listen(engine, "before_cursor_execute", execute)
    event.listen(engine, "commit", commit)
    yield said
    event.remove(engine, "before_cursor_execute", execute)
    event.remove(engine, "commit", commit)


@pytest.fixture
def path(call: Call, alex: int, insider: Callable[..., int]) -> str:
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return f"/loyalty-cards/{card}/transactions"


def tables_without_tenant(statement: str) -> set[str]:
    """Tables that are read or changed without saying whose rows are meant."""
    read = re.findall(r"\b(?:FROM|JOIN) (\w+)(?: AS (\w+))?", statement)
    names = {alias or table for table, alias in read if table in TENANTS}
    found = {name for name in names if f"{name}.tenant_id = %(tenant_id)s" not in statement}
    updated = {table for table in re.findall(r"\bUPDATE (\w+)", statement) if table in TENANTS}
    found |= {table for table in updated if f"{table}.tenant_id = %(tenant_id)s" not in statement}
    inserted = re.findall(r"\bINSERT INTO (\w+) \((\w+),[^)]*\) SELECT (\S+)", statement)
    return found | {table for table, *first in inserted if first != ["tenant_id", "%(tenant_id)s::BIGINT"]}


def kinds(statements: list[str]) -> list[str]:
    return [statement.split()[0].upper() for statement in statements]


@pytest.mark.parametrize(
    "sent",
    [
        {**SALE, "reference": "POS-1", "partner_location_id": 2},
        {"customer_id": 1042, "amount": 24.50, "currency": "USD"},
        {"customer_id": 1042, "points": 5},
        {"customer_id": 1042, "points": -5},
    ],
)
def test_a_purchase_takes_three_statements_and_a_commit(
    call: Call, path: str, statements: list[str], sent: dict[str, Any]
) -> None:
    statements.clear()
    assert call("POST", path, sent).status_code == 201
    assert kinds(statements) == ["SELECT", "SELECT", "WITH", "COMMIT"]
    assert "FOR UPDATE" in statements[0]


def test_a_redemption_takes_three_statements_and_a_commit(call: Call, path: str, statements: list[str]) -> None:
    statements.clear()
    sent = {"customer_id": 1042, "points": 5, "reference": "POS-1"}
    assert call("POST", path.replace("transactions", "redemptions"), sent).status_code == 201
    assert kinds(statements) == ["SELECT", "SELECT", "WITH", "COMMIT"]


@pytest.fixture
def pastry(call: Call, path: str) -> str:
    rewards = path.replace("transactions", "rewards")
    reward = call("POST", rewards, {"title": "Free pastry", "points_cost": 5, "quantity": 10}).json["data"]
    return f"{rewards}/{reward['id']}"


def test_a_claim_locks_its_reward_besides(call: Call, pastry: str, statements: list[str]) -> None:
    statements.clear()
    sent = {"customer_id": 1042, "partner_location_id": 2}
    assert call("POST", f"{pastry}/claim", sent).status_code == 201
    assert kinds(statements) == ["SELECT", "SELECT", "SELECT", "WITH", "COMMIT"]
    locks = re.findall(r"FROM (\w+).*?FOR UPDATE", " ".join(statements[:2]), re.DOTALL)
    assert locks == ["enrollments", "loyalty_rewards"], "in this order, everywhere"


def test_the_ends_of_a_claim_lock_in_the_same_order(call: Call, pastry: str, statements: list[str]) -> None:
    claims = pastry.rpartition("/rewards")[0] + "/claims"
    one, other = (call("POST", f"{pastry}/claim", {"customer_id": 1042}).json["data"]["claim"] for _ in range(2))
    statements.clear()
    assert call("POST", f"{claims}/{one['id']}/fulfill").status_code == 200
    assert kinds(statements) == ["SELECT", "SELECT", "WITH", "COMMIT"]
    statements.clear()
    assert call("POST", f"{claims}/{other['id']}/cancel").status_code == 200
    locks = [statement.split("FOR UPDATE")[1] for statement in statements if "FOR UPDATE" in statement]
    assert [lock.strip() for lock in locks] == ["OF enrollments", ""]
    assert kinds(statements)[-2:] == ["WITH", "COMMIT"]


def test_a_stamp_takes_three_statements_and_a_commit(
    call: Call, alex: int, coffee_club: Callable[..., int], statements: list[str]
) -> None:
    path = f"/stamp-cards/{coffee_club()}/stamps"
    call("POST", path, {"customer_id": alex})
    statements.clear()
    assert call("POST", path, {"customer_id": alex}).status_code == 201
    assert kinds(statements) == ["SELECT", "SELECT", "WITH", "COMMIT"]


def test_only_purchases_that_can_complete_a_milestone_take_more(
    call: Call,
    alex: int,
    sam: int,
    bring_a_friend: Callable[..., dict[str, Any]],
    refer: Callable[..., dict[str, Any]],
    statements: list[str],
) -> None:
    program = bring_a_friend([{"type": "enrolled"}, {"type": "purchase_count", "count": 2}, {"type": "custom"}])
    refer(program, alex, sam)
    card = f"/loyalty-cards/{program['loyalty_card_id']}"
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    three, taken = ["SELECT", "SELECT", "WITH", "COMMIT"], []
    for customer in (sam, sam, sam, alex):
        statements.clear()
        call("POST", f"{card}/transactions", {**SALE, "customer_email": None, "customer_id": customer})
        taken.append(kinds(statements))
    assert taken == [["SELECT", *three], ["SELECT", "SELECT", *three], three, three], (
        "one to look at the referral, one more to draw ids for the bonus rows; none once only others can complete it"
    )


def test_handing_out_and_taking_back_take_three_statements_and_a_commit(
    call: Call, alex: int, coffee_club: Callable[..., int], statements: list[str]
) -> None:
    path = f"/stamp-cards/{coffee_club()}"
    rows = call("POST", f"{path}/stamps", {"customer_id": alex, "quantity": 12}).json["data"]
    [late] = call("POST", f"{path}/stamps", {"customer_id": alex}).json["data"]
    for action in (f"stamps/{late['id']}/reverse", f"rewards/{rows[1]['stamp_reward_id']}/fulfill"):
        statements.clear()
        assert call("POST", f"{path}/{action}").status_code in (200, 201)
        assert kinds(statements) == ["SELECT", "SELECT", "WITH", "COMMIT"]
        assert "FOR UPDATE" in statements[0]


def test_a_replay_only_looks(call: Call, path: str, statements: list[str]) -> None:
    call("POST", path, SALE, key="k")
    statements.clear()
    call("POST", path, SALE, key="k")
    assert kinds(statements) == ["SELECT", "SELECT", "COMMIT"]


def refer_and_complete(call: Call, sam: int, bring_a_friend: Callable[..., Any], refer: Callable[..., Any]) -> str:
    """Everything that referrals do; the path of the list."""
    program = bring_a_friend([{"type": "first_purchase"}, {"type": "custom"}])
    card, path = f"/loyalty-cards/{program['loyalty_card_id']}", f"/referral-programs/{program['id']}"
    referral = refer(program, 1042, sam)
    call("POST", f"{path}/referrals", {"customer_id": sam, "referral_code": referral["referral_code"]})
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    call("POST", f"{card}/transactions", {**SALE, "customer_email": "sam@example.com"})
    call("POST", f"{path}/referrals/{referral['id']}/complete")
    call("PATCH", path, {"name": "Friends", "milestones": [{"type": "custom"}]})
    call("GET", f"{path}/referrals/{referral['id']}")
    return f"{path}/referrals"


def test_every_statement_names_its_tenant(
    call: Call,
    path: str,
    alex: int,
    sam: int,
    coffee_club: Callable[..., int],
    bring_a_friend: Callable[..., Any],
    refer: Callable[..., Any],
    statements: list[str],
) -> None:
    club = coffee_club()
    call("POST", path, {**SALE, "reference": "POS-1"})
    call("POST", path, {**SALE, "reference": "POS-1"})
    call("POST", path, {"customer_id": alex, "points": -5})
    spending = path.replace("transactions", "redemptions")
    call("POST", f"{path}/preview", {**SALE, "reference": "POS-1"})
    for _ in range(2):
        call("POST", spending, {"customer_id": alex, "points": 5, "reference": "POS-3"})
    for listing in (path, spending):
        call("GET", f"{listing}?customer_email=alex@example.com&type=earn&from=2020-01-01")
        call("GET", f"{listing}?cursor=")
    for row in call("GET", f"{path}?per_page=5").json["data"]:
        call("POST", f"{path}/{row['id']}/reverse", {"reference": f"REF-{row['id']}"})
        call("POST", f"{path}/{row['id']}/reverse", {"reference": f"REF-{row['id']}"})
    call("GET", f"{path}/1")
    for _ in range(2):
        call("POST", f"/stamp-cards/{club}/stamps", {"customer_id": alex, "quantity": 12, "reference": "POS-2"})
    referral_path = refer_and_complete(call, sam, bring_a_friend, refer)
    [reward, earn] = call("GET", f"/stamp-cards/{club}/stamps").json["data"]
    for _ in range(2):
        call("POST", f"/stamp-cards/{club}/stamps/{earn['id']}/reverse", {"reference": "REF-1"})
    call("POST", f"/stamp-cards/{club}/rewards/{reward['stamp_reward_id']}/fulfill")
    call("PATCH", f"/stamp-cards/{club}", {"name": "Tea Club"})
    named = f"customer_id={alex}&customer_email=alex@example.com"
    for below in (f"stamps?{named}&reference=POS-2&type=earn", f"rewards?{named}&status=revoked", f"progress?{named}"):
        assert call("GET", f"/stamp-cards/{club}/{below}").status_code == 200
    for listing in (
        "/loyalty-cards",
        "/stamp-cards",
        "/referral-programs",
        referral_path,
        f"/stamp-cards/{club}",
        f"/stamp-cards/{club}/stamps/{earn['id']}",
    ):
        call("GET", listing)
    assert len(statements) > 80
    assert [statement for statement in statements if tables_without_tenant(statement)] == []


def test_every_statement_about_rewards_and_members_names_its_tenant(
    call: Call, path: str, pastry: str, statements: list[str]
) -> None:
    card = path.removesuffix("/transactions")
    claim, other = (call("POST", f"{pastry}/claim", {"customer_id": 1042}).json["data"]["claim"] for _ in range(2))
    member = call("GET", f"{card}/enrollments?status=active&customer_id=1042").json["data"][0]["id"]
    for method, place, sent in (
        ("PATCH", card, {"name": "Other", "card_identifier": "OTHER"}),
        ("PATCH", f"{card}/enrollments/{member}", {"status": "suspended"}),
        ("PATCH", pastry, {"quantity": 7}),
        ("POST", f"{card}/claims/{claim['id']}/fulfill", {"order_reference": "POS-1"}),
        ("POST", f"{card}/claims/{claim['id']}/fulfill", {"order_reference": "POS-1"}),
        ("POST", f"{card}/claims/{other['id']}/cancel", None),
        ("GET", f"{card}/enrollments/{member}", None),
        ("GET", f"{card}/enrollments?customer_email=alex@example.com&member_number=1", None),
        ("GET", f"{card}/rewards?is_active=true", None),
        ("GET", pastry, None),
        ("GET", f"{card}/claims?status=claimed&customer_email=alex@example.com&claim_code=x", None),
        ("GET", f"{card}/claims/{claim['id']}", None),
    ):
        assert call(method, place, sent).status_code == 200, (method, place)
    assert len(statements) > 40
    assert [statement for statement in statements if tables_without_tenant(statement)] == []
