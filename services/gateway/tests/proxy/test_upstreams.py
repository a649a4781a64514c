"""Services that are slow, gone, broken or several."""

import json
import socket
import threading
import time

import pytest

CARDS = "/api/v1/loyalty-cards"


@pytest.fixture(autouse=True)
def recovered(gateway, upstream, demo_key):
    """The gateway that tests share thinks well of the service again, whatever a test made it do."""
    yield
    upstream.behave = None
    assert gateway.ask("GET", CARDS, key=demo_key).status == 200


def close_without_answer(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def once(first):
    """Behaves like ``first`` the first time and answers 201 from then on."""
    turns = iter([first])

    def behave(handler):
        action = next(turns, None)
        if action is not None:
            action(handler)
        else:
            handler.send_response(201)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    return behave


def test_connections_to_a_service_are_kept(gateway, upstream, demo_key):
    for _ in range(5):
        gateway.ask("GET", CARDS, key=demo_key)
    assert len({received.connection for received in upstream.received}) == 1


def test_a_connection_that_broke_is_tried_once_more_with_the_same_key(gateway, upstream, demo_key):
    upstream.behave = once(close_without_answer)
    answer = gateway.ask("POST", CARDS, key=demo_key, body=b'{"name": "Insider Points"}')
    assert answer.status == 201
    first, second = upstream.received
    assert first.connection != second.connection
    assert first.body == second.body
    assert first.headers["x-loyalty-request-key"] == second.headers["x-loyalty-request-key"]


def test_a_service_that_breaks_twice_is_a_bad_gateway(gateway, upstream, demo_key):
    upstream.behave = close_without_answer
    answer = gateway.ask("GET", CARDS, key=demo_key)
    assert (answer.status, answer.json["error"]["code"]) == (502, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert len(upstream.received) == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx",
    ],
)
def test_an_answer_that_makes_no_sense_is_a_bad_gateway(gateway, upstream, demo_key, nonsense):
    def behave(handler):
        handler.wfile.write(nonsense)
        close_without_answer(handler)

    upstream.behave = behave
    assert gateway.ask("GET", CARDS, key=demo_key).status == 502


@pytest.mark.parametrize("status", [301, 302, 304, 307, 401])
def test_a_service_that_redirects_or_refuses_us_is_a_bad_gateway(gateway, upstream, demo_key, status):
    upstream.behave = lambda handler: upstream.reply(handler, status, b"", {"Location": "http://127.0.0.1:9/"})
    answer = gateway.ask("GET", CARDS, key=demo_key)
    assert answer.status == 502
    assert "location" not in answer.headers
    assert len(upstream.received) == 1


def test_a_service_that_is_gone_is_unavailable(start_gateway, demo_key):
    gateway = start_gateway()
    answer = gateway.ask("POST", CARDS, key=demo_key, body="{}")
    assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "ratelimit" in answer.headers


def test_a_service_that_is_too_slow_is_not_asked_again(gateway, upstream, demo_key):
    gate = threading.Event()
    upstream.behave = lambda handler: gate.wait(20)
    answer = gateway.ask("POST", CARDS, key=demo_key, body="{}")
    gate.set()
    assert (answer.status, answer.json["error"]["code"]) == (504, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert len(upstream.received) == 1


@pytest.mark.parametrize("which", ["first", "second"])
def test_of_two_urls_the_one_that_answers_is_used(start_gateway, upstream, demo_key, which):
    gone = "http://127.0.0.1:9"
    gateway = start_gateway(PROGRAMS_URL=f"{gone},{upstream.url}" if which == "second" else f"{upstream.url},{gone}")
    answers = [gateway.ask("POST", CARDS, key=demo_key, body="{}").status for _ in range(6)]
    assert answers == [200] * 6
    # The dead one rests for a second, so most calls do not even try it.
    assert len(gateway.lines(event="upstream_retry")) <= 2


def test_two_urls_take_turns(start_gateway, upstream, new_upstream, demo_key):
    other = new_upstream()
    gateway = start_gateway(PROGRAMS_URL=f"{upstream.url},{other.url}")
    for _ in range(6):
        gateway.ask("GET", CARDS, key=demo_key)
    assert (len(upstream.received), len(other.received)) == (3, 3)


def test_a_proxy_of_the_environment_is_ignored(start_gateway, upstream, demo_key):
    proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    gateway = start_gateway(PROGRAMS_URL=upstream.url, **proxy)
    assert gateway.ask("GET", CARDS, key=demo_key).status == 200


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_large_answer_streams_through(gateway, upstream, demo_key, is_chunked):
    piece = json.dumps("x" * 9_998).encode()

    def behave(handler):
        handler.send_response(200)
        handler.send_header(*(("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", "3000000")))
        handler.end_headers()
        for _ in range(300):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
        handler.wfile.write(b"0\r\n\r\n" if is_chunked else b"")

    upstream.behave = behave
    answers = [gateway.ask("GET", CARDS, key=demo_key) for _ in range(2)]
    assert all(answer.body == piece * 300 for answer in answers)
    assert len({received.connection for received in upstream.received}) == 1


def test_the_beginning_of_an_answer_does_not_wait_for_its_end(gateway, upstream, demo_key):
    gate = threading.Event()

    def behave(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nfirst\r\n")
        assert gate.wait(10)
        handler.wfile.write(b"4\r\nlast\r\n0\r\n\r\n")

    upstream.behave = behave
    with gateway.connect() as sock:
        sock.sendall(f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {demo_key}\r\n\r\n".encode())
        received = b""
        while b"first" not in received:
            received += sock.recv(65536)
        assert b"last" not in received
        gate.set()
        while not received.endswith(b"0\r\n\r\n"):
            received += sock.recv(65536)
    assert b"last" in received


@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_answer_that_breaks_off_is_not_passed_for_whole(gateway, upstream, demo_key, is_chunked):
    def behave(handler):
        handler.send_response(200)
        handler.send_header(*(("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", "3000000")))
        handler.end_headers()
        handler.wfile.write(b"ffff\r\n" if is_chunked else b"")
        handler.wfile.write(b"x" * 10_000)
        close_without_answer(handler)

    upstream.behave = behave
    head = f"GET {CARDS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {demo_key}\r\n\r\n"
    started = time.monotonic()
    received = gateway.say(head.encode())
    assert time.monotonic() - started < 3
    body = received.partition(b"\r\n\r\n")[2]
    assert len(body) < 3_000_000
    assert not body.endswith(b"0\r\n\r\n")
