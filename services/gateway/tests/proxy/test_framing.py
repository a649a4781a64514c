"""What gunicorn refuses, or gives up, before any route is looked for."""

import json
from contextlib import ExitStack

import pytest

CARDS = "/api/v1/loyalty-cards"
POST = f"POST {CARDS} HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    "request_text",
    [
        POST + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        POST + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        POST + "Content-Length: +2\r\n\r\n{}",
        POST + "Content-Length: 1_0\r\n\r\n{}",
        POST + "Content-Length: -1\r\n\r\n{}",
        POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        POST + "X-Folded: a\r\n b\r\n\r\n",
        f"GET {CARDS} HTTP/1.1\nHost: a\n\n",
        f"GET {CARDS} HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        f"GET {CARDS} HTTP/1.1\r\nNo colon\r\n\r\n",
        f"GET {CARDS} HTTP/3.7\r\nHost: a\r\n\r\n",
        f"get {CARDS} HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET {CARDS} {CARDS} HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET {CARDS}/\xe9 HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET {CARDS}/{'1' * 9000} HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nX: {'1' * 9000}\r\n\r\n",
        f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\n\r\n",
        f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
def test_a_request_that_can_be_read_in_two_ways_gets_one_answer_and_the_door(gateway, upstream, request_text):
    answer = gateway.say((request_text + "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").encode("latin-1"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Content-Type: application/json" in head
    assert b"Connection: close" in head
    parsed = json.loads(body)
    assert parsed["error"]["code"] == "validation_error"
    assert f"X-Request-Id: {parsed['meta']['request_id']}".encode() in head
    assert upstream.received == []


def test_a_request_without_a_host_is_refused(gateway, upstream, demo_key):
    request = f"GET {CARDS} HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {demo_key}\r\n\r\n"
    assert gateway.say(request.encode()).startswith(b"HTTP/1.1 400 ")
    assert upstream.received == []


def test_one_connection_carries_many_requests(gateway, upstream, demo_key):
    request = f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {demo_key}\r\n"
    answer = gateway.say(f"{request}\r\n{request}\r\n{request}Connection: close\r\n\r\n".encode())
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert len(upstream.received) == 3


def test_a_head_that_never_ends_is_given_up(gateway, until):
    with gateway.connect() as sock:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n")
        assert until(lambda: sock.recv(100) == b"") < 7


def test_slow_and_idle_clients_hold_up_nobody(gateway, upstream, demo_key):
    with ExitStack() as clients:
        for _ in range(200):
            clients.enter_context(gateway.connect()).sendall(b"GET /livez HTTP/1.1\r\nHost:")
        assert gateway.ask("GET", CARDS, key=demo_key).status == 200


def test_bytes_after_a_refused_body_are_no_second_request(gateway, upstream, demo_key):
    smuggled = f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {demo_key}\r\n\r\n"
    head = (
        f"{POST}Authorization: Bearer {demo_key}\r\nContent-Type: text/plain\r\nContent-Length: {len(smuggled)}\r\n\r\n"
    )
    answer = gateway.say((head + smuggled + "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").encode())
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 415 " in answer
    assert b'{"status":"ok"}' in answer
    assert upstream.received == []


def test_an_expected_continue_is_answered_before_the_body_is_sent(gateway, upstream, demo_key):
    head = f"{POST}Authorization: Bearer {demo_key}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    with gateway.connect() as sock:
        sock.sendall(f"{head}Expect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"{}")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    assert upstream.received[0].body == b"{}"


def test_a_body_that_stalls_never_turns_into_the_next_request(gateway, upstream):
    with gateway.connect() as sock:
        sock.sendall(f"{POST}Transfer-Encoding: chunked\r\n\r\n64\r\n".encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 401 ")
        # Closed once its time is up. gunicorn would take the chunk that was cut short for the end of the body.
        sock.settimeout(4)
        assert sock.recv(4096) == b""
