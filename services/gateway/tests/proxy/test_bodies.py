"""What a request may carry."""

import gevent
import pytest

from loyalty_common.errors import MalformedJson
from loyalty_gateway.api import bodies
from loyalty_gateway.api.bodies import LIMIT_BYTES

CARDS = "/api/v1/loyalty-cards"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(key, *, head=b"", body=b"", path=CARDS):
    start = f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n".encode()
    return start + head + b"\r\n" + body


def chunks(body, size=1000):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_json_arrives_byte_for_byte(gateway, upstream, demo_key, content_type, is_chunked):
    body = b'{"amount": 24.50, "notes": "caf\xc3\xa9"}'
    head = b"Content-Type: %s\r\n" % content_type.encode()
    head += CHUNKED if is_chunked else b"Content-Length: %d\r\n" % len(body)
    answer = gateway.say(post(demo_key, head=head, body=chunks(body, 7) if is_chunked else body))
    assert answer.startswith(b"HTTP/1.1 200 ")
    (received,) = upstream.received
    assert (received.body, received.headers["content-type"]) == (body, content_type)
    assert received.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("head", [b"", b"Content-Length: 0\r\n", b"Content-Type: text/plain\r\n"])
def test_an_absent_body_goes_on_as_absent_whatever_its_type(gateway, upstream, demo_key, head):
    assert gateway.say(post(demo_key, head=head)).startswith(b"HTTP/1.1 200 ")
    (received,) = upstream.received
    assert (received.body, received.headers["content-length"]) == (b"", "0")
    assert "content-type" not in received.headers


def test_an_empty_chunked_body_is_absent_too(gateway, upstream, demo_key):
    answer = gateway.say(post(demo_key, head=CHUNKED + b"Content-Type: text/plain\r\n", body=b"0\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert upstream.received[0].headers["content-length"] == "0"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"Content-Type: text/csv\r\n",
        b"Content-Type: application/x-www-form-urlencoded\r\n",
        b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
    ],
)
@pytest.mark.parametrize("is_chunked", [False, True])
def test_anything_but_json_is_refused(gateway, upstream, demo_key, head, is_chunked):
    framing = CHUNKED if is_chunked else b"Content-Length: 2\r\n"
    answer = gateway.say(post(demo_key, head=head + framing, body=chunks(b"{}") if is_chunked else b"{}"))
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert b'"unsupported_media_type"' in answer
    assert upstream.received == []


@pytest.mark.parametrize(("size", "status"), [(LIMIT_BYTES, b"200"), (LIMIT_BYTES + 1, b"413"), (2_000_000, b"413")])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_a_mebibyte_is_refused_and_never_cut(gateway, upstream, demo_key, size, status, is_chunked):
    body = b'"%s"' % (b"x" * (size - 2))
    head = b"Content-Type: application/json\r\n" + (CHUNKED if is_chunked else b"Content-Length: %d\r\n" % size)
    answer = gateway.say(post(demo_key, head=head, body=chunks(body, 65_536) if is_chunked else body))
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert [received.body for received in upstream.received] == ([body] if status == b"200" else [])


def test_a_declared_size_over_the_limit_is_refused_unread(gateway, upstream, demo_key):
    head = b"Content-Type: application/json\r\nContent-Length: 99999999999\r\n"
    assert gateway.say(post(demo_key, head=head)).startswith(b"HTTP/1.1 413 ")
    assert upstream.received == []


def test_a_body_cut_off_by_its_sender_reaches_no_service(gateway, upstream, demo_key, until):
    for framing, body in ((b"Content-Length: 20\r\n", b'{"points": 1'), (CHUNKED, b'5\r\n{"poi')):
        with gateway.connect() as sock:
            sock.sendall(post(demo_key, head=b"Content-Type: application/json\r\n" + framing, body=body))
    until(lambda: len(gateway.lines(event="request", error="malformed_json")) == 2)
    assert upstream.received == []


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n", b"-1\r\n{}\r\n", b"2\n{}\n0\n\n"])
def test_chunks_that_make_no_sense_end_the_connection(gateway, upstream, demo_key, body):
    head = CHUNKED + b"Content-Type: application/json\r\n"
    # Without "Connection: close" of its own: what follows must not be read as a second request.
    request = post(demo_key, head=head, body=body).replace(b"Connection: close\r\n", b"")
    answer = gateway.say(request + b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert upstream.received == []


def test_a_get_takes_no_body_along(gateway, upstream, demo_key):
    answer = gateway.ask("GET", CARDS, key=demo_key, body=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status == 200
    assert upstream.received[0].body == b""


def test_a_body_that_takes_too_long_is_refused_and_ends_the_connection(monkeypatch):
    class Stream:
        failed = False

        def read(self, _):
            gevent.sleep(10)

    monkeypatch.setattr(bodies, "_DEADLINE_S", 0.05)
    stream = Stream()
    with pytest.raises(MalformedJson, match="did not arrive within"):
        bodies.read_body({"wsgi.input": stream, "HTTP_TRANSFER_ENCODING": "chunked"})
    # What gunicorn closes the connection by.
    assert stream.failed
