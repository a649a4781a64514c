"""The nginx of deploy/forward-auth carries the bytes, and the gateway decides: a client sees no difference."""

import json
import os
import re
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loyalty_common.identity import TokenVerifier
from loyalty_gateway.domain import api_keys
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.scopes import OPERATORS
from loyalty_testing.machine import find_or_install, find_program, free_port, private_folder

CARDS = "/api/v1/loyalty-cards"
CONFIGURATION = Path(__file__).parents[4] / "deploy" / "forward-auth" / "nginx"
MAIN = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit; {user}
events {{ worker_connections 256; }}
http {{ access_log off; {paths} include {folder}/upstreams.conf; include {folder}/loyalty.conf; }}
"""
LIMITS = {"ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}


@pytest.fixture(scope="module")
def nginx(start_gateway, upstream_server, redis_server):
    """The door as a client finds it: nginx before a decision, a gateway and one service for all."""
    settings = {f"{name}_URL": upstream_server.url for name in ("PROGRAMS", "CUSTOMERS", "GATEWAY_INTERNAL")}
    settings |= {"REDIS_URL": redis_server.url}
    decision, gateway = start_gateway("forward-auth", **settings), start_gateway(**settings)
    service = upstream_server.url.removeprefix("http://")
    addresses = {"loyalty_decision": f"127.0.0.1:{decision.port}", "loyalty_gateway": f"127.0.0.1:{gateway.port}"}
    folder, port = private_folder("nginx"), free_port()
    upstreams = re.sub(
        r"upstream (\w+) \{ server [^;]+;",
        lambda found: f"upstream {found[1]} {{ server {addresses.get(found[1], service)};",
        (CONFIGURATION / "upstreams.conf").read_text(),
    )
    (folder / "upstreams.conf").write_text(upstreams)
    server = (CONFIGURATION / "loyalty.conf").read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    (folder / "loyalty.conf").write_text(server)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, paths=paths, user=user))
    program = find_or_install(
        lambda: find_program("nginx"), server="nginx", variable="PATH to find it", package="nginx-light"
    )
    process = subprocess.Popen([program, "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"])
    door = replace(gateway, port=port, process=process)
    deadline = time.monotonic() + 20
    while not answers(door):
        assert process.poll() is None, "nginx did not start"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield door
    process.terminate()
    process.wait(20)


def answers(door):
    try:
        return door.ask("GET", "/livez").status == 200
    except OSError:
        return False


def test_what_may_pass_reaches_its_service_as_the_tenant_and_says_what_is_left(nginx, upstream, new_key, identity_keys):
    key = new_key("business", scopes=("programs:read",))
    answer = nginx.ask("GET", f"{CARDS}/caf%c3%a9?page=2", key=key["key"], headers={"X-Request-Id": "mine"})
    assert (answer.status, answer.json) == (200, {})
    (received,) = upstream.received
    assert received.path == "/v1/loyalty-cards/caf%C3%A9?page=2"
    identity = TokenVerifier("programs", identity_keys.public_keys).verify(received.headers["authorization"])
    assert (identity.actor_id, identity.organization.id) == (key["id"], key["organization_id"])
    assert received.headers["x-request-id"] == answer.headers["x-request-id"] == "mine"
    assert answer.headers["ratelimit-policy"] == '"key";q=3000;w=60, "organization";q=3000;w=60'
    assert answer.headers["x-ratelimit-remaining"] == "499"
    assert answer.headers["cache-control"] == "no-store"
    assert "authorization" not in answer.headers
    assert "server" not in answer.headers or "/" not in answer.headers["server"]


def test_a_write_arrives_whole_with_the_clients_key_or_one_made_for_it(nginx, upstream, demo_key):
    body = b'{"name": "Insider Points"}'
    nginx.ask("POST", CARDS, key=demo_key, body=body, headers={"Idempotency-Key": "POS-88421"})
    nginx.ask("POST", CARDS, key=demo_key, body=body, headers={"X-Loyalty-Request-Key": "mine"})
    named, unnamed = upstream.received
    assert (named.body, unnamed.body) == (body, body)
    assert named.headers["idempotency-key"] == "POS-88421"
    assert "idempotency-key" not in unnamed.headers
    assert unnamed.headers["x-loyalty-request-key"] not in ("mine", named.headers["x-loyalty-request-key"])


def test_only_named_headers_reach_a_service(nginx, upstream, demo_key):
    sent = {
        "Cookie": "session=1",
        "X-Original-URI": "/api/v1/customers/1",
        "X-Forwarded-Uri": "/",
        "Range": "bytes=0-1",
        "X-Loyalty-Request-Key": "mine",
    }
    nginx.ask("GET", CARDS, key=demo_key, headers=sent)
    expected = {"host", "authorization", "x-request-id", "traceparent"}
    assert upstream.received[0].headers.keys() - {"accept"} == expected
    assert demo_key not in str(upstream.received)


def test_only_the_account_api_learns_from_which_address_it_is_called_and_not_from_the_client(nginx, upstream, demo_key):
    for path in ("/api/v1/partner-locations", CARDS):
        nginx.ask("GET", path, key=demo_key, headers={"X-Loyalty-Client-Address": "203.0.113.7"})
    account, service = upstream.received
    assert account.headers["x-loyalty-client-address"] == "127.0.0.1"
    assert "x-loyalty-client-address" not in service.headers


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("PUT", CARDS, 405, "method_not_allowed"),
        ("GET", f"{CARDS}/12%2Ftransactions", 400, "validation_error"),
        ("GET", f"{CARDS}//12", 400, "validation_error"),
    ],
)
def test_what_may_not_pass_is_refused_as_by_the_gateway(nginx, upstream, demo_key, method, target, status, code):
    answer = nginx.ask(method, target, key=demo_key)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["meta"]["request_id"] == answer.headers["x-request-id"]
    assert upstream.received == []


def test_without_a_key_or_a_scope_nothing_passes(nginx, upstream, new_key):
    refused = nginx.ask("GET", CARDS)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    key = new_key(scopes=("programs:read",))["key"]
    answer = nginx.ask("POST", CARDS, key=key, body=b"{}")
    assert (answer.status, answer.json["error"]["reason"]) == (403, "insufficient_scope")
    assert answer.headers.keys() >= LIMITS
    assert upstream.received == []


def test_beyond_the_limit_calls_are_429_and_take_nothing(nginx, upstream, new_key, change):
    key = new_key("developer")
    change("update api_keys set requests_per_minute = 6, burst = 3 where id = :id", id=key["id"])
    answers = [nginx.ask("GET", CARDS, key=key["key"]) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json["error"]["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert len(upstream.received) == 3


def test_files_and_the_document_go_through_the_gateway(nginx, upstream, demo_key):
    csv = b"email\n" + b"alex@example.com\n" * 90_000
    headers = {"Content-Type": "text/csv"}
    assert nginx.ask("POST", "/api/v1/imports?type=customers", key=demo_key, headers=headers, body=csv).status == 200
    assert upstream.received[0].body == csv
    assert nginx.ask("GET", "/api/v1/openapi.json").json["openapi"] == "3.1.0"


def test_a_body_that_is_too_large_or_no_json_is_refused(nginx, upstream, demo_key):
    large = nginx.ask("POST", CARDS, key=demo_key, body=b'"%s"' % (b"x" * 2**20))
    assert (large.status, large.json["error"]["code"]) == (413, "payload_too_large")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert nginx.ask("POST", CARDS, key=demo_key, headers=form, body=b"a=1").status == 415
    assert upstream.received == []


def test_a_service_that_breaks_twice_is_503_in_the_envelope(nginx, upstream, demo_key):
    upstream.behave = lambda handler: setattr(handler, "close_connection", True)
    answer = nginx.ask("GET", CARDS, key=demo_key)
    assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


def test_what_nginx_refuses_by_itself_is_in_the_envelope_too(nginx):
    answer = nginx.say(f"GET {CARDS} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "validation_error"


def test_a_key_that_is_revoked_passes_no_more_a_second_later(nginx, upstream, engine, new_key, until):
    key = new_key()
    assert nginx.ask("GET", CARDS, key=key["key"]).status == 200
    with engine.begin() as connection:
        of = {"organization_id": key["organization_id"], "api_key_id": key["id"]}
        api_keys.revoke(connection, **of, authority=OPERATORS, occasion=Occasion.of_operator(datetime.now(UTC)))
    revoked_at = time.monotonic()
    until(lambda: time.monotonic() > revoked_at + 1)
    answer = nginx.ask("GET", CARDS, key=key["key"])
    assert (answer.status, answer.json["error"]["reason"]) == (401, "key_revoked")


def test_each_kind_of_proxy_is_believed_under_its_own_path_alone(start_gateway, upstream, demo_key):
    decision = start_gateway("forward-auth", PROGRAMS_URL=upstream.url)
    told = {
        "X-Original-Method": "GET",
        "X-Original-URI": CARDS,
        "X-Forwarded-Method": "POST",
        "X-Forwarded-Uri": f"{CARDS}/12/transactions",
    }

    def ask(method, path):
        answer = decision.ask(method, path, key=demo_key, headers=told)
        return answer.status, answer.headers.get("x-loyalty-path")

    assert ask("POST", "/_authz") == (200, "/v1/loyalty-cards")
    assert ask("GET", "/_authz/traefik") == (200, "/v1/loyalty-cards/12/transactions")
    assert ask("PATCH", f"/_authz/envoy{CARDS}/5") == (200, "/v1/loyalty-cards/5")
    assert ask("GET", CARDS)[0] == 404
    assert ask("DELETE", f"/_authz/envoy{CARDS}")[0] == 405
    assert decision.ask("GET", "/_authz", key=demo_key).status == 404
    assert upstream.received == []
