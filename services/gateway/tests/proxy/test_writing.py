"""How answers are framed on their way to a client."""

import socket

import gevent.socket
import pytest

from loyalty_gateway.api.writing import Writer

TYPE = ("Content-Type", "application/json")


@pytest.fixture
def written():
    """``written("GET", "200 OK", headers, pieces)``: the packets that a client receives, and whether that was the last.

    The first is taken apart: its first line, its headers by lower-case names, and what it has of the body.
    """

    def write(method, status, headers, pieces, *, version=(1, 1), closes=False):
        # Such sockets keep what was sent at once apart from what was sent next.
        ours, theirs = gevent.socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            with ours:
                writer = Writer(ours, method=method, version=version, closes=closes)
                writer.start(status, headers)
                for piece in pieces:
                    writer.write(piece)
                writer.end()
            packets = list(iter(lambda: theirs.recv(10_000), b""))
        head, _, body = packets[0].partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        named = dict(line.lower().split(": ", 1) for line in lines)
        assert named.pop("date").endswith(" gmt")
        assert named.pop("connection") == ("close" if writer.closes else "keep-alive")
        return first, named, [body, *packets[1:]], writer.closes

    return write


def test_head_and_body_arrive_in_one_packet(written):
    answer = written("GET", "200 OK", [TYPE, ("Content-Length", "2")], [b"{}"])
    assert answer == ("HTTP/1.1 200 OK", {"content-type": "application/json", "content-length": "2"}, [b"{}"], False)


def test_of_a_length_that_nobody_knows_the_end_is_told_by_chunks(written):
    _, headers, body, closes = written("GET", "200 OK", [TYPE], [b"{", b"", b"}" * 20])
    assert headers["transfer-encoding"] == "chunked"
    assert (body, closes) == ([b"1\r\n{\r\n", b"14\r\n" + b"}" * 20 + b"\r\n", b"0\r\n\r\n"], False)


def test_a_client_that_knows_no_chunks_is_told_by_the_end_of_the_connection(written):
    _, headers, body, closes = written("GET", "200 OK", [TYPE], [b"{}"], version=(1, 0))
    assert (headers.keys(), body, closes) == ({"content-type"}, [b"{}"], True)


def test_the_last_answer_of_a_connection_says_so(written):
    assert written("GET", "200 OK", [TYPE, ("Content-Length", "2")], [b"{}"], closes=True)[-1]


@pytest.mark.parametrize(
    ("method", "status", "kept"),
    [("HEAD", "200 OK", {"content-length"}), ("GET", "204 No Content", set()), ("GET", "304 Not Modified", set())],
)
def test_an_answer_without_a_body_has_none_whatever_is_given(written, method, status, kept):
    _, headers, body, closes = written(method, status, [TYPE, ("Content-Length", "2")], [b"{}"])
    assert (headers.keys(), body, closes) == ({"content-type"} | kept, [b""], False)


def test_an_answer_of_which_nothing_was_written_has_a_head(written):
    answer = written("GET", "200 OK", [("Content-Length", "0")], [])
    assert answer == ("HTTP/1.1 200 OK", {"content-length": "0"}, [b""], False)
