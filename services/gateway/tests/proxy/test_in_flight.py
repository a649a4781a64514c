"""How much of the gateway one organization can hold at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

CARDS = "/api/v1/loyalty-cards"
SLOW = "/api/v1/stamp-cards"


def test_an_organization_that_waits_for_a_slow_service_leaves_room_for_others(start_gateway, upstream, new_key, until):
    gateway, gate = start_gateway(PROGRAMS_URL=upstream.url, ORGANIZATION_IN_FLIGHT="3"), threading.Event()
    busy, other = new_key(), new_key()["key"]
    upstream.behave = lambda handler: gate.wait(20) and upstream.reply(handler, 200, b"{}")
    with ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(gateway.ask, "GET", SLOW, key=busy["key"]) for _ in range(3)]
        until(lambda: len(upstream.received) == 3)
        upstream.behave = None
        second_key = new_key(organization_id=busy["organization_id"])["key"]
        refused = gateway.ask("GET", CARDS, key=second_key)
        assert (refused.status, refused.json["error"]["code"]) == (429, "rate_limited")
        assert refused.headers["retry-after"] == "1"
        assert "ratelimit" in refused.headers
        assert gateway.ask("GET", CARDS, key=other).status == 200
        gate.set()
        assert {answer.result().status for answer in waiting} == {200}
    assert gateway.ask("GET", CARDS, key=second_key).status == 200


def test_an_answer_that_streams_is_under_way_until_it_ends_or_its_client_has_gone(
    start_gateway, upstream, new_key, until
):
    gateway, gate = start_gateway(PROGRAMS_URL=upstream.url, ORGANIZATION_IN_FLIGHT="1"), threading.Event()
    key = new_key()["key"]

    def behave(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nfirst\r\n")
        assert gate.wait(20)
        for _ in range(50):
            handler.wfile.write(b"ffff\r\n" + b"x" * 65535 + b"\r\n")

    upstream.behave = behave
    with gateway.connect() as sock:
        sock.sendall(f"GET {SLOW} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        received = b""
        while b"first" not in received:
            received += sock.recv(65536)
        upstream.behave = None
        assert gateway.ask("GET", CARDS, key=key).status == 429
    gate.set()
    until(lambda: gateway.ask("GET", CARDS, key=key).status == 200)
