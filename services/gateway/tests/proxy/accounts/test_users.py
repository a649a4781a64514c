"""Users of an organization, as its owners see and change them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

# Sooner than the 5 s for which a gateway would remember what it is not told of.
SOON_S = 3


@pytest.fixture
def owner(visitor, user):
    """``owner("GET", "/users")`` is asked by the owner."""
    token = visitor.token(user)
    return lambda method, path, body=None, **headers: visitor.ask(method, path, body, token=token, **headers)


def invited(owner, email, role="staff", name="Kim Till"):
    answer = owner("POST", "/users", {"name": name, "email": email, "role": role})
    assert answer.status == 201, answer.body
    return answer.json["data"]


def test_an_invitation_makes_a_user_who_chooses_a_password(visitor, owner, user, link_for, audited):
    kim = invited(owner, "Kim.One@Example.com")
    assert (kim["status"], kim["role"], kim["last_signed_in_at"]) == ("invited", "staff", None)
    assert owner("GET", f"/users/{kim['id']}").json["data"] == kim
    assert visitor.sign_in(kim).status == 401

    chosen = visitor.ask("POST", f"/password-resets/{link_for('Kim.One@Example.com')}", {"password": "twelve or more"})
    assert (chosen.status, chosen.json["data"]["status"]) == (200, "active")
    assert visitor.sign_in({"email": "kim.one@example.com"}, password="twelve or more").status == 201
    assert audited(user["organization_id"])[-3:] == ["user.invited", "user.activated", "session.created"]


def test_users_are_listed_newest_first_and_by_cursor(owner, user):
    emails = [f"list{number}.{user['id']}@example.com" for number in range(3)]
    ids = [invited(owner, email)["id"] for email in emails]
    listed = owner("GET", "/users?per_page=2").json
    assert [entry["id"] for entry in listed["data"]] == ids[:0:-1]
    assert listed["meta"]["total"] == 4
    assert len(owner("GET", "/users?cursor=&per_page=100").json["data"]) == 4


def test_a_user_of_another_organization_does_not_exist(owner, new_user):
    stranger = new_user()
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("PATCH", {"role": "king"}), ("DELETE", None)):
        answer = owner(method, f"/users/{stranger['id']}", body)
        assert (answer.status, answer.json["error"]["code"]) == (404, "not_found"), method
    assert stranger["id"] not in [entry["id"] for entry in owner("GET", "/users").json["data"]]


def test_one_address_is_one_user_over_all_organizations(owner, new_user):
    elsewhere = new_user()
    answer = owner("POST", "/users", {"name": "x", "email": elsewhere["email"].upper(), "role": "staff"})
    assert (answer.status, answer.json["error"]["details"]) == (400, {"email": ["The email has already been taken."]})


def test_two_invitations_to_one_address_at_once_make_one_user(owner, user):
    body = {"name": "x", "email": f"twice{user['id']}@example.com", "role": "staff"}
    with ThreadPoolExecutor(4) as side_by_side:
        answers = list(side_by_side.map(lambda _: owner("POST", "/users", body).status, range(4)))
    assert sorted(answers) == [201, 400, 400, 400]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "email": "x", "role": "staff"}, "email"),
        ({"name": "x", "email": "x@example.com", "role": "king"}, "role"),
        ({"name": "x", "email": "x@example.com"}, "role"),
        ({"email": "x@example.com", "role": "staff"}, "name"),
    ],
)
def test_an_invitation_that_lacks_something_says_what(owner, body, field):
    answer = owner("POST", "/users", body)
    assert (answer.status, list(answer.json["error"]["details"])) == (400, [field])


def test_what_changes_is_written_down_and_what_does_not_is_not(owner, user, engine):
    kim = invited(owner, f"kim{user['id']}@example.com")
    changed = owner("PATCH", f"/users/{kim['id']}", {"role": "manager", "name": "Kim Till"}).json["data"]
    assert changed == kim | {"role": "manager"}
    owner("PATCH", f"/users/{kim['id']}", {"role": "manager"})
    with engine.connect() as connection:
        entries = text("select * from audit_entries where subject_type = 'user' and subject_id = :id order by id")
        invitation, change = connection.execute(entries, {"id": kim["id"]}).mappings()
    assert (change["action"], change["changes"]) == ("user.updated", {"role": ["staff", "manager"]})
    assert (change["actor_type"], change["actor_id"], change["actor_name"]) == ("user", user["id"], "Robin Owner")
    assert str(change["ip_address"]).startswith("198.51.")
    assert invitation["changes"]["role"] == [None, "staff"]


def test_who_is_disabled_is_out_at_once_and_can_come_back(visitor, owner, user, new_user, until):
    staff = new_user("staff", user["organization_id"])
    token = visitor.token(staff)
    assert owner("PATCH", f"/users/{staff['id']}", {"status": "disabled"}).status == 200
    assert until(lambda: visitor.ask("GET", "/me", token=token).status == 401) < SOON_S
    assert visitor.sign_in(staff).status == 401
    assert owner("PATCH", f"/users/{staff['id']}", {"status": "active"}).json["data"]["status"] == "active"
    assert visitor.ask("GET", "/me", token=token).status == 401
    assert visitor.sign_in(staff).status == 201


def test_nobody_becomes_active_without_a_password(owner, user):
    kim = invited(owner, f"kim{user['id']}@example.com")
    answer = owner("PATCH", f"/users/{kim['id']}", {"status": "active"})
    assert (answer.status, list(answer.json["error"]["details"])) == (400, ["status"])
    owner("PATCH", f"/users/{kim['id']}", {"status": "disabled"})
    assert owner("PATCH", f"/users/{kim['id']}", {"status": "active"}).json["data"]["status"] == "invited"


def test_who_is_deleted_is_gone_and_his_address_is_free(visitor, owner, user, new_user, until, audited):
    staff = new_user("staff", user["organization_id"])
    token = visitor.token(staff)
    answer = owner("DELETE", f"/users/{staff['id']}")
    assert (answer.status, answer.json["data"].keys()) == (200, {"id", "deleted_at"})
    assert until(lambda: visitor.ask("GET", "/me", token=token).status == 401) < SOON_S
    assert owner("GET", f"/users/{staff['id']}").status == 404
    assert owner("DELETE", f"/users/{staff['id']}").status == 404
    assert visitor.sign_in(staff).status == 401
    assert invited(owner, staff["email"])["id"] != staff["id"]
    assert "user.deleted" in audited(user["organization_id"])


def test_a_new_address_takes_over_the_invitation(visitor, owner, user, link_for):
    kim = invited(owner, f"old{user['id']}@example.com")
    old = link_for(f"old{user['id']}@example.com")
    owner("PATCH", f"/users/{kim['id']}", {"email": f"new{user['id']}@example.com"})
    assert visitor.ask("POST", f"/password-resets/{old}", {"password": "twelve or more"}).status == 404
    new = link_for(f"new{user['id']}@example.com")
    assert visitor.ask("POST", f"/password-resets/{new}", {"password": "twelve or more"}).status == 200


@pytest.mark.parametrize(
    ("method", "body"), [("PATCH", {"role": "staff"}), ("PATCH", {"status": "disabled"}), ("DELETE", None)]
)
def test_the_last_owner_stays(owner, user, new_user, method, body):
    new_user("manager", user["organization_id"])
    invited(owner, f"other{user['id']}@example.com", role="owner")
    answer = owner(method, f"/users/{user['id']}", body)
    assert answer.status == 400
    assert answer.json["error"]["message"] == "An organization must keep one active owner."
    assert list(answer.json["error"]["details"]) == list(body or {})


@pytest.mark.parametrize("turn", range(3))
def test_of_owners_who_remove_each_other_at_once_one_stays(visitor, new_organization, new_user, engine, turn):
    organization = new_organization()
    owners = [new_user("owner", organization["id"]) for _ in range(4)]
    tokens = [visitor.token(one) for one in owners]
    start = threading.Barrier(4)

    def remove(number):
        start.wait()
        other = owners[(number + 1) % 4]["id"]
        if number % 2:
            return visitor.ask("DELETE", f"/users/{other}", token=tokens[number]).status
        return visitor.ask("PATCH", f"/users/{other}", {"role": "staff"}, token=tokens[number]).status

    with ThreadPoolExecutor(4) as side_by_side:
        list(side_by_side.map(remove, range(4)))
    with engine.connect() as connection:
        left = text(
            "select count(*) from users where organization_id = :id and role = 'owner' and status = 'active'"
            " and deleted_at is null"
        )
        assert connection.execute(left, {"id": organization["id"]}).scalar_one() >= 1


def test_an_api_key_with_the_scope_manages_users_too(visitor, new_key, user):
    key = new_key(organization_id=user["organization_id"])["key"]
    assert visitor.ask("GET", f"/users/{user['id']}", token=key).status == 200
    narrow = new_key(organization_id=user["organization_id"], scopes=("customers:write",))["key"]
    answer = visitor.ask("GET", "/users", token=narrow)
    assert (answer.status, answer.json["error"]["reason"]) == (403, "insufficient_scope")


def test_no_key_makes_changes_or_removes_a_user_who_may_more_than_itself(visitor, new_key, user, new_user):
    new_user("owner", user["organization_id"])  # So that it is not the last owner who stays.
    staff = new_user("staff", user["organization_id"])
    key = new_key(organization_id=user["organization_id"], scopes=("account:write", "customers:read"))["key"]
    body = {"name": "x", "email": f"key{user['id']}@example.com"}
    refused = [
        visitor.ask("POST", "/users", body | {"role": "owner"}, token=key),
        visitor.ask("PATCH", f"/users/{staff['id']}", {"role": "manager"}, token=key),
        visitor.ask("PATCH", f"/users/{user['id']}", {"email": body["email"]}, token=key),
        visitor.ask("PATCH", f"/users/{user['id']}", {"role": "staff", "email": body["email"]}, token=key),
        visitor.ask("DELETE", f"/users/{user['id']}", token=key),
    ]
    assert [(answer.status, answer.json["error"]["reason"]) for answer in refused] == [(403, "insufficient_scope")] * 5
    assert visitor.ask("POST", "/users", body | {"role": "staff"}, token=key).status == 201


def test_no_key_of_the_test_mode_manages_users_who_sign_in_to_both(visitor, new_key, user):
    key = new_key(organization_id=user["organization_id"], mode="test")["key"]
    body = {"name": "x", "email": f"test{user['id']}@example.com", "role": "staff"}
    assert visitor.ask("GET", "/users", token=key).status == 200
    assert visitor.ask("POST", "/users", body, token=key).status == 403
    assert visitor.ask("DELETE", f"/users/{user['id']}", token=key).status == 403


def test_an_invitation_that_is_repeated_goes_out_once(owner, user, deliver):
    deliver()
    body = {"name": "Kim", "email": f"kim{user['id']}@example.com", "role": "staff"}
    first, again = (owner("POST", "/users", body, Idempotency_Key="invite Kim") for _ in range(2))
    assert again.json["data"] == first.json["data"]
    assert again.headers["idempotent-replayed"] == "true"
    assert [letter["To"] for letter in deliver()] == [body["email"]]
