"""Files stream through the gateway: the types and sizes of the route that takes them, and none but whole ones."""

import socket
import threading

import pytest

IMPORTS = "/api/v1/imports?type=customers"
LIMIT_BYTES = 3 * 2**20
CSV = {"Content-Type": "text/csv; charset=utf-8"}
HEAD = "POST /api/v1/imports HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/csv\r\n"


@pytest.mark.parametrize("media_type", ["text/csv; charset=utf-8", "application/x-ndjson"])
def test_a_file_larger_than_any_json_arrives_whole(gateway, upstream, demo_key, media_type):
    body = b"email\n" + b"alex@example.com\n" * 150_000
    answer = gateway.ask("POST", IMPORTS, key=demo_key, headers={"Content-Type": media_type}, body=body)
    assert answer.status == 200
    (received,) = upstream.received
    assert (received.body, received.path) == (body, "/v1/imports?type=customers")
    assert (received.headers["content-type"], received.headers["transfer-encoding"]) == (media_type, "chunked")


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json"}, {**CSV, "Content-Encoding": "gzip"}])
def test_another_type_is_415(gateway, upstream, demo_key, headers):
    answer = gateway.ask("POST", IMPORTS, key=demo_key, headers=headers, body=b"email")
    assert (answer.status, upstream.received) == (415, [])
    assert "text/csv or application/x-ndjson" in answer.json["error"]["message"]


def test_a_file_over_the_limit_is_413_before_and_while_it_is_sent(gateway, upstream, demo_key):
    declared = gateway.ask("POST", IMPORTS, key=demo_key, headers=CSV, body=b"x" * (LIMIT_BYTES + 1))
    chunked = gateway.ask("POST", IMPORTS, key=demo_key, headers=CSV, body=iter([b"x" * 2**20] * 4))
    assert (declared.status, chunked.status) == (413, 413)
    assert "3 MiB" in chunked.json["error"]["message"]
    assert upstream.received == []


def test_a_file_that_breaks_off_never_counts_as_a_shorter_one(gateway, upstream, demo_key):
    head = f"{HEAD}Authorization: Bearer {demo_key}\r\n".encode()
    with gateway.connect() as sock:
        sock.sendall(head + b"Content-Length: 1000\r\n\r\nemail\nalex@example.com\n")
        sock.shutdown(1)
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert upstream.received == []


@pytest.fixture
def hasty():
    """The address of a service that refuses after the head, while the file is still on its way."""
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse():
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            body = b'{"error": {"code": "validation_error"}}'
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join(10)


def test_a_service_that_has_heard_enough_is_answered_for(start_gateway, hasty, demo_key):
    gateway = start_gateway(CUSTOMERS_URL=hasty)
    answer = gateway.ask("POST", IMPORTS, key=demo_key, headers=CSV, body=b"x" * LIMIT_BYTES)
    assert (answer.status, answer.json) == (400, {"error": {"code": "validation_error"}})


def test_nothing_is_sent_twice_and_a_service_that_is_away_is_503(start_gateway, demo_key):
    gateway = start_gateway()
    answer = gateway.ask("POST", IMPORTS, key=demo_key, headers=CSV, body=b"email")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
