"""How the API's answers and refusals come back to the pages."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loyalty_dashboard.api import Api, ApiError, Caller

REFUSED = {
    "error": {"code": "validation_error", "message": "Not valid.", "reason": None, "details": {"name": ["Needed."]}},
    "meta": {"request_id": "r-1"},
}


@pytest.fixture
def door():
    """Answers as it is told to and keeps what it was asked: ``(status, headers, body)``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answer = [], (200, {}, b"{}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, self.headers, body))
        status, headers, text = self.server.answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = _take

    def log_message(self, *_):
        pass


@pytest.fixture
def caller(door):
    return Caller(
        Api(f"http://127.0.0.1:{door.server_address[1]}/api/v1", connections=2), {"Authorization": "Bearer t"}
    )


def test_a_list_says_where_it_goes_on(door, caller):
    links = {"next": "https://elsewhere.example/api/v1/things?per_page=2&cursor=abc%3D"}
    door.answer = (200, {}, json.dumps({"data": [1, 2], "meta": {}, "links": links}).encode())
    answer = caller.get("/things", per_page=2, cursor="", status=None)
    assert (answer.data, answer.next_cursor) == ([1, 2], "abc=")
    assert door.asked[0][1] == "/api/v1/things?per_page=2&cursor="


def test_a_write_carries_its_key_and_who_sends_it(door, caller):
    door.answer = (201, {"Idempotent-Replayed": "true"}, b'{"data": {"id": 4}}')
    answer = caller.send("POST", "/things", {"name": "x"}, key="k-1")
    assert (answer.data, answer.is_replay) == ({"id": 4}, True)
    headers = door.asked[0][2]
    assert (headers["Idempotency-Key"], headers["Authorization"]) == ("k-1", "Bearer t")


def test_a_refusal_knows_the_sentences_of_its_fields(door, caller):
    door.answer = (400, {}, json.dumps(REFUSED).encode())
    with pytest.raises(ApiError) as refused:
        caller.send("POST", "/things", {})
    error = refused.value
    assert (error.status, error.message, error.details) == (400, "Not valid.", {"name": ["Needed."]})
    assert error.request_id == "r-1"


def test_whoever_asks_too_often_is_told_how_long_to_wait_and_not_made_to(door, caller):
    door.answer = (429, {"Retry-After": "30"}, b"{}")
    with pytest.raises(ApiError) as refused:
        caller.get("/things")
    assert (refused.value.status, refused.value.retry_after, len(door.asked)) == (429, "30", 1)


@pytest.mark.parametrize("text", [b"<html>", b"[]", b""])
def test_an_answer_that_is_not_the_apis_is_no_reason_to_fail(door, caller, text):
    door.answer = (502, {}, text)
    with pytest.raises(ApiError) as refused:
        caller.get("/things")
    assert refused.value.status == 502


def test_an_api_that_is_away_is_unavailable():
    caller = Caller(Api("http://127.0.0.1:9/api/v1", connections=2), {})
    with pytest.raises(ApiError) as refused:
        caller.get("/things")
    assert refused.value.status == 503
