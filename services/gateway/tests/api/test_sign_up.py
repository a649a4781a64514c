"""Organizations that come by themselves, where they may."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from sqlalchemy import text

from loyalty_gateway.app import create_internal
from loyalty_gateway.settings import Internal

_numbers = count(1)


@pytest.fixture(scope="module")
def open_app(internal_variables) -> Iterator:
    app = create_internal(Internal.read({**internal_variables, "SIGN_UP": "open", "SIGN_UP_PLAN": "developer"}))
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def visit(open_app, identity_keys):
    """``visit("POST", "/organizations", {...})`` as somebody at an address of his own."""
    address = f"203.0.113.{next(_numbers)}"
    return lambda *request, **options: visiting(open_app, identity_keys, address)(*request, **options)


def visiting(app, identity_keys, address):
    token = identity_keys.signer("gateway").mint("gateway", claims={"actor": {"type": "visitor"}})

    def call(method, path, body=None, **headers):
        sent = {"Authorization": f"Bearer {token}", "X-Loyalty-Client-Address": address, **headers}
        return app.test_client().open(f"/v1{path}", method=method, json=body, headers=sent)

    return call


def organization(**changes):
    number = next(_numbers)
    return {
        "name": "Harbour Coffee",
        "currency": "eur",
        "country": "de",
        "time_zone": "Europe/Berlin",
        "owner": {"name": "Sam Founder", "email": f"sam{number}@harbour.example"},
        "partner_location": {"name": "Harbour"},
        **changes,
    }


def test_an_organization_comes_with_tenants_location_and_an_invited_owner(visit, engine):
    body = organization()
    answer = visit("POST", "/organizations", body)
    assert answer.status_code == 201
    made = answer.json["data"]
    assert made.keys() == {"organization", "user", "partner_location"}
    assert (made["organization"]["currency"], made["organization"]["country"]) == ("EUR", "DE")
    assert made["organization"].keys().isdisjoint({"plan", "tenants"})
    assert (made["user"]["role"], made["user"]["status"]) == ("owner", "invited")
    assert (made["user"]["email"], made["partner_location"]["time_zone"]) == (body["owner"]["email"], "Europe/Berlin")
    with engine.connect() as connection:
        of = {"id": made["organization"]["id"]}
        assert connection.execute(
            text("select mode from tenants where organization_id = :id order by id"), of
        ).scalars().all() == ["live", "test"]
        assert connection.execute(text("select plan_code from organizations where id = :id"), of).scalar() == (
            "developer"
        )
        waiting = "select kind from mails where user_id = :id"
        assert connection.execute(text(waiting), {"id": made["user"]["id"]}).scalars().all() == ["invitation"]
        actions = "select action, actor_name from audit_entries where organization_id = :id order by id"
        entries = connection.execute(text(actions), of).all()
    assert [entry.action for entry in entries] == [
        "organization.created",
        "user.invited",
        "partner_location.created",
    ]
    assert {entry.actor_name for entry in entries} == {"Sign-up"}


def test_it_is_closed_unless_somebody_opened_it(app, identity_keys):
    answer = visiting(app, identity_keys, "203.0.113.250")("POST", "/organizations", organization())
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden")


def test_an_address_that_somebody_has_founds_nothing(visit):
    body = organization()
    assert visit("POST", "/organizations", body).status_code == 201
    again = visit("POST", "/organizations", organization(owner={"name": "x", "email": body["owner"]["email"].upper()}))
    assert (again.status_code, list(again.json["error"]["details"])) == (400, ["owner.email"])


def test_a_repetition_finds_what_was_founded(visit):
    body = organization()
    first, again = (visit("POST", "/organizations", body, **{"Idempotency-Key": "found it"}) for _ in range(2))
    assert again.json["data"] == first.json["data"]
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_owner_at_the_same_moment_founds_one(visit, engine):
    body = organization()
    with ThreadPoolExecutor(4) as side_by_side:
        answers = list(side_by_side.map(lambda _: visit("POST", "/organizations", body).status_code, range(4)))
    assert sorted(answers) == [201, 400, 400, 400]


def test_one_address_founds_few(visit):
    answers = [visit("POST", "/organizations", organization()).status_code for _ in range(6)]
    assert answers == [201] * 5 + [429]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "XXY"}, "currency"),
        ({"time_zone": "Berlin"}, "time_zone"),
        ({"owner": None}, "owner"),
        ({"owner": "Sam"}, "owner"),
        ({"owner": {"name": "Sam", "email": "sam"}}, "owner.email"),
        ({"partner_location": {"time_zone": "UTC"}}, "partner_location.name"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_counted(visit, changes, field):
    answer = visit("POST", "/organizations", organization(**changes))
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [field])


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me"), ("GET", "/users"), ("DELETE", "/sessions/current"), ("PATCH", "/organization")]
)
def test_a_visitor_gets_nowhere_else(visit, method, path):
    assert visit(method, path, None if method == "GET" else {}).status_code == 401
