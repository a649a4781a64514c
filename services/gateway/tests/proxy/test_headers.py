"""Which headers cross the gateway, in both directions."""

import uuid

import pytest

CARDS = "/api/v1/loyalty-cards"
ADDED = {"host", "authorization", "x-request-id", "traceparent"}


def test_only_named_headers_reach_a_service(gateway, upstream, demo_key):
    sent = {
        "Accept": "application/json",
        "Accept-Language": "de",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "till=1",
        "Cookie": "session=1",
        "X-Loyalty-Request-Key": "mine",
        "X-Loyalty-Tenant": "1",
        "X_Loyalty_Request_Key": "mine",
        "X-Forwarded-For": "198.51.100.1",
        "Forwarded": "for=198.51.100.1",
        "Connection": "close, authorization, x-request-id",
        "TE": "trailers",
        "Range": "bytes=0-1",
        "If-None-Match": "*",
    }
    gateway.ask("GET", CARDS, key=demo_key, headers=sent)
    (received,) = upstream.received
    named = {"accept", "accept-language", "traceparent", "tracestate"}
    assert received.headers.keys() == ADDED | named
    assert {name: received.headers[name] for name in named} == {
        name.lower(): value for name, value in sent.items() if name.lower() in named
    }


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_write_without_a_key_gets_one_so_that_it_may_be_repeated(gateway, upstream, demo_key, method):
    path = {"POST": CARDS, "PATCH": f"{CARDS}/12", "DELETE": "/api/v1/customers/1042"}[method]
    for _ in range(2):
        gateway.ask(method, path, key=demo_key)
    made = [received.headers["x-loyalty-request-key"] for received in upstream.received]
    assert len({uuid.UUID(key) for key in made}) == 2
    assert "x-loyalty-request-key" not in _received_by_get(gateway, upstream, demo_key)


def _received_by_get(gateway, upstream, key):
    gateway.ask("GET", CARDS, key=key)
    return upstream.received[-1].headers


@pytest.mark.parametrize("key", ["POS-88421", "", "x" * 255, "a,b", "caf\xe9"])
def test_the_clients_own_idempotency_key_goes_on_as_it_is(gateway, upstream, demo_key, key):
    gateway.ask("POST", CARDS, key=demo_key, headers={"Idempotency-Key": key})
    (received,) = upstream.received
    assert received.headers["idempotency-key"] == key
    assert "x-loyalty-request-key" not in received.headers


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Request-Id", "Content-Type", "Host"])
def test_a_header_that_must_be_one_is_refused_twice(gateway, upstream, demo_key, name):
    head = f"POST {CARDS} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {demo_key}\r\n"
    answer = gateway.say(f"{head}{name}: a\r\n{name}: a\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert upstream.received == []


@pytest.mark.parametrize("request_id", ["9f3c2a1e-8b4d-4e1a-9c2d-1a2b3c4d5e6f", "A.b_c-1", "x" * 128])
def test_a_harmless_request_id_of_the_caller_is_kept(gateway, upstream, demo_key, request_id):
    answer = gateway.ask("GET", CARDS, key=demo_key, headers={"X-Request-Id": request_id})
    assert answer.headers["x-request-id"] == request_id
    assert upstream.received[0].headers["x-request-id"] == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "<script>", "caf\xe9", '"'])
def test_any_other_request_id_is_replaced(gateway, upstream, demo_key, request_id):
    answer = gateway.ask("GET", CARDS, key=demo_key, headers={"X-Request-Id": request_id})
    assert str(uuid.UUID(answer.headers["x-request-id"])) == upstream.received[0].headers["x-request-id"]


def test_only_named_headers_reach_the_client(gateway, upstream, demo_key):
    returned = {
        "Content-Type": "text/csv",
        "Content-Disposition": "attachment",
        "Idempotent-Replayed": "true",
        "Retry-After": "3",
        "ETag": '"1"',
        "Link": '</a>; rel="next"',
        "Set-Cookie": "session=1",
        "X-Powered-By": "us",
        "X-Request-Id": "theirs",
        "Cache-Control": "public",
        "X-RateLimit-Limit": "1",
        "Connection": "x-request-id",
    }
    upstream.behave = lambda handler: upstream.reply(handler, 503, b"busy", returned)
    answer = gateway.ask("GET", CARDS, key=demo_key, headers={"X-Request-Id": "mine"})
    assert (answer.status, answer.body) == (503, b"busy")
    ours = {"date", "connection", "content-length", "x-request-id", "cache-control"}
    ours.add("strict-transport-security")
    limits = {"ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    theirs = {"content-type", "content-disposition", "idempotent-replayed", "retry-after", "etag", "link"}
    assert answer.headers.keys() == ours | limits | theirs
    assert {name: answer.headers[name] for name in theirs} == {
        name.lower(): value for name, value in returned.items() if name.lower() in theirs
    }
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.raw_headers) == len(answer.headers)


def test_a_header_with_an_underscore_is_no_other_way_to_write_one(gateway, upstream, demo_key):
    sent = {"Idempotency_Key": "POS-88421", "X_Request_Id": "mine", "Accept_Language": "de"}
    answer = gateway.ask("POST", CARDS, key=demo_key, headers=sent)
    (received,) = upstream.received
    assert {"idempotency-key", "accept-language"}.isdisjoint(received.headers)
    assert answer.headers["x-request-id"] == received.headers["x-request-id"] != "mine"


@pytest.mark.parametrize("value", ["1\nSet-Cookie: session=1", "1\rSet-Cookie: session=1", "1\x00", "1\x7f"])
def test_a_header_of_a_service_does_not_become_two(gateway, upstream, demo_key, value):
    def behave(handler):
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nETag: {value}\r\nContent-Length: 2\r\n\r\n{{}}".encode())

    upstream.behave = behave
    answer = gateway.ask("GET", CARDS, key=demo_key)
    assert (answer.status, answer.json["error"]["code"]) == (500, "server_error")
    assert "set-cookie" not in answer.headers
