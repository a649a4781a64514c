"""Who gets through the door, and what the others are told."""

import pytest

from loyalty_common.identity import TokenVerifier
from loyalty_gateway.domain import keys

CARDS = "/api/v1/loyalty-cards"


def test_a_call_with_a_key_reaches_its_service_in_the_name_of_its_tenant(gateway, upstream, new_key, identity_keys):
    key = new_key("business", mode="test", scopes=("programs:read",))
    answer = gateway.ask("GET", f"{CARDS}?page=2", key=key["key"])
    assert (answer.status, answer.json) == (200, {})
    (received,) = upstream.received
    assert received.path == "/v1/loyalty-cards?page=2"
    identity = TokenVerifier("programs", identity_keys.public_keys).verify(received.headers["authorization"])
    assert (identity.actor_type, identity.actor_id, identity.plan) == ("api_key", key["id"], "business")
    assert identity.organization.id == key["organization_id"]
    assert identity.scopes == {"programs:read"}


def test_test_keys_and_live_keys_act_for_different_tenants(gateway, upstream, new_organization, new_key, identity_keys):
    organization = new_organization()
    verifier = TokenVerifier("programs", identity_keys.public_keys)
    for mode in ("live", "test"):
        gateway.ask("GET", CARDS, key=new_key(organization_id=organization["id"], mode=mode)["key"])
        identity = verifier.verify(upstream.received.pop().headers["authorization"])
        assert identity.tenant_id == organization["tenants"][mode]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer lpk_your_secret_key",
        "Basic dGlsbDp0aWxs",
        "lpk_live_",
        "Bearer " + keys.mint(mode="live", entropy=b"nobody" + bytes(34)),
    ],
)
def test_without_a_key_of_ours_nothing_is_told_and_nothing_is_asked(gateway, upstream, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = gateway.ask("GET", CARDS, headers=headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json["error"] == {
        "code": "unauthenticated",
        "message": "The API key is missing or not valid.",
        "reason": None,
        "details": {},
    }
    assert answer.json["meta"]["request_id"] == answer.headers["x-request-id"]
    assert upstream.received == []


def test_a_wrong_secret_is_answered_like_an_unknown_key(gateway, upstream, new_key):
    kid = new_key()["key"][9:19]
    body = f"lpk_live_{kid}_" + "A" * 43
    forged = body + keys.checksum(body)
    unknown = keys.mint(mode="live", entropy=b"unknown!" + bytes(32))
    answers = [gateway.ask("GET", CARDS, key=key) for key in (forged, unknown)]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].json["error"] == answers[1].json["error"]
    assert upstream.received == []


def test_two_authorization_headers_are_none(gateway, upstream, demo_key):
    one = f"Authorization: Bearer {demo_key}\r\n"
    for second in (one, "Authorization: x\r\n", "Authorization:\r\n"):
        head = f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{one}{second}\r\n"
        assert gateway.say(head.encode()).startswith(b"HTTP/1.1 401 ")
    assert upstream.received == []


@pytest.mark.parametrize(("column", "reason"), [("revoked_at", "key_revoked"), ("expires_at", "key_expired")])
def test_a_key_that_ended_is_told_so_only_if_it_is_whole(gateway, new_key, change, column, reason):
    key = new_key()
    change(f"update api_keys set {column} = now() where id = :id", id=key["id"])
    answer = gateway.ask("GET", CARDS, key=key["key"])
    assert (answer.status, answer.json["error"]["reason"]) == (401, reason)
    body = key["key"][:20] + "A" * 43
    guessed = gateway.ask("GET", CARDS, key=body + keys.checksum(body))
    assert (guessed.status, guessed.json["error"]["reason"]) == (401, None)


def test_a_revoked_key_is_out_within_five_seconds(gateway, new_key, change, until):
    key = new_key()
    assert gateway.ask("GET", CARDS, key=key["key"]).status == 200
    change("update api_keys set revoked_at = now() where id = :id", id=key["id"])
    assert until(lambda: gateway.ask("GET", CARDS, key=key["key"]).status == 401) <= 7


def test_a_suspended_organization_is_refused(gateway, upstream, new_organization, new_key, change):
    organization = new_organization()
    change("update organizations set status = 'suspended' where id = :id", id=organization["id"])
    answer = gateway.ask("GET", CARDS, key=new_key(organization_id=organization["id"])["key"])
    assert (answer.status, answer.json["error"]["reason"]) == (403, "organization_suspended")
    assert upstream.received == []


def test_a_plan_without_developer_access_is_refused(gateway, upstream, new_key):
    answer = gateway.ask("GET", CARDS, key=new_key("starter")["key"])
    assert (answer.status, answer.json["error"]["reason"]) == (403, "plan_required")
    assert "ratelimit" in answer.headers
    assert upstream.received == []


def test_a_key_does_what_its_scopes_say(gateway, upstream, new_key):
    key = new_key(scopes=("programs:read",))["key"]
    assert gateway.ask("GET", CARDS, key=key).status == 200
    answer = gateway.ask("POST", CARDS, key=key, body="{}")
    assert (answer.status, answer.json["error"]["code"]) == (403, "forbidden")
    assert answer.json["error"]["reason"] == "insufficient_scope"
    assert len(upstream.received) == 1


def test_who_calls_is_asked_before_what_is_called(gateway, demo_key):
    assert gateway.ask("GET", "/api/v1/nowhere").status == 401
    assert gateway.ask("GET", "/api/v1/nowhere", key=demo_key).status == 404


def test_a_plan_that_may_not_is_refused_before_the_path_is_looked_at(gateway, new_key):
    key = new_key("starter")["key"]
    for method, path in (("GET", "/api/v1/nowhere"), ("PUT", CARDS), ("POST", CARDS)):
        assert gateway.ask(method, path, key=key, body="not json").status == 403


def test_an_address_that_tries_too_many_wrong_keys_is_held_back(start_gateway, upstream, new_key, until):
    gateway = start_gateway(PROGRAMS_URL=upstream.url, FORWARDED_ALLOW_IPS="127.0.0.0/8")
    guess = keys.mint(mode="live", entropy=b"a guess!" + bytes(32))

    def refused_with(key):
        gateway.ask("GET", CARDS, key=guess, headers=attacker)
        return gateway.ask("GET", CARDS, key=key, headers=attacker).status

    attacker, shop = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}
    key = new_key()["key"]
    answers = [gateway.ask("GET", CARDS, key=guess, headers=attacker) for _ in range(200)]
    assert {answer.status for answer in answers} == {401}
    # One more is let in every 100 ms; what is asked in between is refused.
    until(lambda: gateway.ask("GET", CARDS, key=guess, headers=attacker).headers.get("retry-after") == "1")
    # Writing another address in front does not help, having one of one's own does.
    attacker["X-Forwarded-For"] = "198.51.100.1, 203.0.113.7"
    until(lambda: refused_with(key) == 429)
    assert gateway.ask("GET", CARDS, key=key, headers=shop).status == 200


def test_no_key_is_ever_logged_or_forwarded(gateway, upstream, new_key):
    key = new_key()["key"]
    gateway.ask("GET", f"{CARDS}?search=alex@example.com", key=key)
    gateway.say(f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nAuthorization Bearer {key}\r\n\r\n".encode())
    gateway.say(f"GET {CARDS}?{key} HTTP/9.9\r\nHost: a\r\n\r\n".encode())
    assert not any(key in str(received) for received in upstream.received)
    (line,) = gateway.lines(event="request", kid=key[9:19])
    assert (line["route"], line["status"], line["upstream"]) == ("/v1/loyalty-cards", 200, "programs")
    assert {"organization_id", "tenant_id", "duration_ms", "upstream_ms", "request_id", "limit"} <= line.keys()
    assert "lpk_" not in gateway.log()
    assert "alex@example.com" not in gateway.log()
