"""What each role opens, over every operation that the services publish."""

import json

import pytest

from loyalty_gateway.api.contracts import public_operations

# Sooner than the 5 s for which a gateway would remember what it is not told of.
SOON_S = 3

# Read from the specification, and not from the code: owner = every scope + users + organization; manager = every scope
# but keys:*, users; staff = customers:read, credit, stamp, redeem, fulfil, claim.
FOR_STAFF = {
    "POST /loyalty-cards/{}/transactions",
    "POST /loyalty-cards/{}/transactions/preview",
    "POST /loyalty-cards/{}/redemptions",
    "POST /loyalty-cards/{}/rewards/{}/claim",
    "POST /loyalty-cards/{}/claims/{}/fulfill",
    "POST /stamp-cards/{}/stamps",
    "POST /stamp-cards/{}/rewards/{}/fulfill",
    "POST /vouchers/{}/redeem",
    "POST /vouchers/redeem",
    "POST /vouchers/{}/validate",
    "POST /vouchers/validate",
    "GET /me",
    "DELETE /sessions/current",
    "POST /sessions/current/renew",
}
FOR_OWNERS = {
    "PATCH /organization",
    "GET /users",
    "POST /users",
    "GET /users/{}",
    "PATCH /users/{}",
    "DELETE /users/{}",
}


@pytest.fixture(scope="module")
def operations(request):
    documents = {path.stem: json.loads(path.read_text()) for path in contracts(request).glob("*.json")}
    return list(public_operations(documents))


def contracts(request):
    return request.config.rootpath / "contracts" / "openapi"


def name_of(operation):
    path = operation.path.removeprefix("/v1")
    segments = ["{}" if segment.startswith("{") else segment for segment in path.split("/")]
    return f"{operation.method} {'/'.join(segments)}"


def least_role(operation):
    name, scope = name_of(operation), operation.spec["x-loyalty"]["scope"]
    if name in FOR_STAFF or scope == "customers:read":
        return "staff"
    return "owner" if name in FOR_OWNERS or scope.startswith("keys:") else "manager"


@pytest.mark.parametrize("role", ["staff", "manager", "owner"])
def test_a_role_opens_what_it_should_and_nothing_else(door, visitor, new_user, new_organization, operations, role):
    organization, ranks = new_organization(), ("staff", "manager", "owner")
    guarded = [operation for operation in operations if operation.spec["x-loyalty"].get("caller") is None]
    assert {name_of(operation) for operation in operations} >= FOR_STAFF | FOR_OWNERS
    token = None
    for number, operation in enumerate(guarded):
        if number % 90 == 0:  # One person's limit is a burst of 100.
            token = visitor.token(new_user(role, organization["id"]))
        path = operation.path.removeprefix("/v1").replace("{import_id}/errors.csv", "1/errors.csv")
        while "{" in path:
            path = path[: path.index("{")] + "999999999" + path[path.index("}") + 1 :]
        # Not a body that anybody takes: what is asked is who may, which is judged before.
        answer = visitor.ask(operation.method, path, token=token)
        may = ranks.index(role) >= ranks.index(least_role(operation))
        refused = answer.status == 403 and answer.json["error"]["reason"] == "insufficient_role"
        assert refused != may, f"{role} {name_of(operation)}: {answer.status}"


def test_who_is_refused_is_told_the_role_that_it_takes(visitor, new_user):
    answer = visitor.ask("GET", "/users", token=visitor.token(new_user("manager")))
    assert answer.json["error"]["message"] == "This needs the role owner."


def test_a_role_counts_from_the_moment_that_it_is_given(visitor, new_organization, new_user, until):
    organization = new_organization()
    owner, staff = new_user("owner", organization["id"]), new_user("staff", organization["id"])
    token = visitor.token(staff)
    assert visitor.ask("GET", "/partner-locations", token=token).status == 403
    change = {"role": "manager"}
    assert visitor.ask("PATCH", f"/users/{staff['id']}", change, token=visitor.token(owner)).status == 200
    assert until(lambda: visitor.ask("GET", "/partner-locations", token=token).status == 200) < SOON_S


def test_a_manager_gives_no_key_a_scope_over_keys(visitor, new_user):
    assert visitor.ask("POST", "/api-keys", {"name": "x"}, token=visitor.token(new_user("manager"))).status == 403
