"""Where another proxy carries the bytes the same is decided of who signed in, and of who has not yet."""

import pytest

from loyalty_common.identity import TokenVerifier

# Sooner than the 5 s for which a gateway would remember what it is not told of.
SOON_S = 3


@pytest.fixture(scope="module")
def decision(start_gateway, public_routes):
    return start_gateway("forward-auth", **public_routes)


@pytest.fixture
def asked(decision):
    """``asked("POST", "/sessions")``: what the decision answers to nginx."""

    def ask(method, path, token=None, address="203.0.113.9"):
        told = {"X-Original-Method": method, "X-Original-URI": f"/api/v1{path}", "X-Forwarded-For": address}
        return decision.ask("GET", "/_authz", key=token, headers=told)

    return ask


def test_a_role_opens_what_it_opens_at_the_gateway(asked, visitor, new_user, identity_keys):
    staff = new_user("staff")
    token = visitor.token(staff)
    passed = asked("POST", "/loyalty-cards/12/transactions", token)
    assert (passed.status, passed.headers["x-loyalty-path"]) == (200, "/v1/loyalty-cards/12/transactions")
    identity = TokenVerifier("programs", identity_keys.public_keys).verify(passed.headers["authorization"])
    assert (identity.actor_id, identity.source, identity.scopes) == (staff["id"], "dashboard", {"customers:read"})
    for method, path in (("GET", "/users"), ("PATCH", "/loyalty-cards/12"), ("POST", "/api-keys")):
        refused = asked(method, path, token)
        assert (refused.status, refused.json["error"]["reason"]) == (403, "insufficient_role")


def test_a_visitor_passes_as_nobody_and_is_known_by_his_address(asked, identity_keys):
    passed = asked("POST", "/sessions")
    assert (passed.status, passed.headers["x-loyalty-service"]) == (200, "gateway")
    identity = TokenVerifier("gateway", identity_keys.public_keys).verify(passed.headers["authorization"])
    assert (identity.tenant_id, identity.organization, identity.scopes) == (None, None, frozenset())
    assert passed.headers["x-loyalty-client-address"] == "203.0.113.9"
    assert asked("GET", "/users").status == 401


def test_a_key_has_no_session_and_a_session_that_ended_passes_no_more(asked, visitor, user, new_key, until):
    assert asked("DELETE", "/sessions/current", new_key()["key"]).status == 403
    token = visitor.token(user)
    assert asked("GET", "/me", token).status == 200
    assert visitor.ask("DELETE", "/sessions/current", token=token).status == 200
    assert until(lambda: asked("GET", "/me", token).status == 401) < SOON_S
