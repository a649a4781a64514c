"""Which targets have a route; everything that two readers could read differently has none."""

import pytest

CARDS = "/api/v1/loyalty-cards"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (f"{CARDS}", "/v1/loyalty-cards"),
        (f"{CARDS}/12", "/v1/loyalty-cards/12"),
        (f"{CARDS}/12/transactions?page=2&per_page=5", "/v1/loyalty-cards/12/transactions?page=2&per_page=5"),
        (f"{CARDS}?search=100%&q=a/../b", "/v1/loyalty-cards?search=100%&q=a/../b"),
        (f"{CARDS}?search=%C3%A9", "/v1/loyalty-cards?search=%C3%A9"),
        (f"{CARDS}/caf%c3%a9", "/v1/loyalty-cards/caf%C3%A9"),
        (f"{CARDS}/%31%32", "/v1/loyalty-cards/12"),
        (f"{CARDS}/12;admin=1", "/v1/loyalty-cards/12%3Badmin%3D1"),
        (f"{CARDS}/%252e%252e", "/v1/loyalty-cards/%252e%252e"),
        (f"{CARDS}?", "/v1/loyalty-cards"),
    ],
)
def test_the_path_of_a_service_is_rebuilt(gateway, upstream, demo_key, target, path):
    assert gateway.ask("GET", target, key=demo_key).status == 200
    assert upstream.received[0].path == path


@pytest.mark.parametrize(
    "target",
    [
        f"{CARDS}/..",
        f"{CARDS}/../customers/1",
        f"{CARDS}/./12",
        f"{CARDS}/%2e%2e",
        f"{CARDS}/.%2E/customers",
        f"{CARDS}/%2e",
        f"{CARDS}/12%2Ftransactions",
        f"{CARDS}/12%5Ctransactions",
        f"{CARDS}/12\\transactions",
        f"{CARDS}//12",
        f"/{CARDS}",
        f"{CARDS}/12%00",
        f"{CARDS}/12%0d%0aX-Evil:1",
        f"{CARDS}/%7f",
        f"{CARDS}/{';' * 480}",
        f"{CARDS}/%ff",
        f"{CARDS}/%c0%ae%c0%ae",
        f"{CARDS}/1%",
        f"{CARDS}/1%zz",
        f"{CARDS}/1%2",
        f"{CARDS}?search=%00",
        f"{CARDS}?search=%ff",
        f"{CARDS}#top",
        f"http://127.0.0.1{CARDS}",
        "*",
        "127.0.0.1:80",
    ],
)
def test_a_target_that_could_mean_two_things_is_refused(gateway, upstream, demo_key, target):
    answer = gateway.ask("GET", target, key=demo_key)
    assert (answer.status, answer.json["error"]["code"]) == (400, "validation_error")
    assert upstream.received == []


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1/loyalty-cards",
        "/api/v2/loyalty-cards",
        "/api/v1",
        "/api/v1/",
        f"{CARDS}/",
        f"{CARDS}/12/",
        f"{CARDS}/12/transactions/5",
        "/api/v1/Loyalty-Cards",
        "/api/v1/loyalty%2Dcards",
        "/api/v1/internal/events",
        "/internal/events",
        "/API/V1/loyalty-cards",
        "/api/v1/openapi.json/",
        "/livez/",
    ],
)
def test_a_path_that_no_service_has_is_not_found(gateway, upstream, demo_key, target):
    answer = gateway.ask("GET", target, key=demo_key)
    assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
    assert upstream.received == []


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("DELETE", CARDS, "GET, HEAD, POST"),
        ("POST", f"{CARDS}/12", "GET, HEAD, PATCH"),
        ("TRACE", CARDS, "GET, HEAD, POST"),
        ("OPTIONS", f"{CARDS}/12/transactions", "GET, HEAD, POST"),
        ("GET", "/api/v1/customers/1042", "DELETE"),
    ],
)
def test_a_method_that_a_path_does_not_know_is_told_which_it_knows(gateway, upstream, demo_key, method, target, allow):
    answer = gateway.ask(method, target, key=demo_key)
    assert (answer.status, answer.json["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allow
    assert upstream.received == []


def test_no_header_changes_the_method_or_the_path(gateway, upstream, demo_key):
    sent = {
        "X-HTTP-Method-Override": "DELETE",
        "X-Original-URL": "/internal/events",
        "X-Rewrite-URL": "/internal/events",
        "SCRIPT_NAME": "/api",
        "PATH_INFO": "/internal/events",
        "Script-Name": "/api",
    }
    assert gateway.ask("GET", CARDS, key=demo_key, headers=sent).status == 200
    assert (upstream.received[0].method, upstream.received[0].path) == ("GET", "/v1/loyalty-cards")
    assert gateway.ask("GET", "/livez", headers=sent).json == {"status": "ok"}


def test_head_is_answered_like_get_without_a_body(gateway, upstream, demo_key):
    answer = gateway.ask("HEAD", CARDS, key=demo_key)
    assert (answer.status, answer.body) == (200, b"")
    assert upstream.received[0].method == "HEAD"
    answer = gateway.ask("HEAD", "/api/v1/nowhere", key=demo_key)
    assert (answer.status, answer.body) == (404, b"")
