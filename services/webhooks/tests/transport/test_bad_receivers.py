"""What a receiver may do to us: nothing beyond failing its own delivery."""

from __future__ import annotations

import gzip
import resource
import socket
import time
from collections.abc import Callable

import pytest

from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.client import Answer

Post = Callable[..., Answer]
Receive = Callable[..., Target]
OK = b"HTTP/1.1 200 OK\r\n"
pytestmark = pytest.mark.soak  # hard test 7 of the webhooks' design, with tests/sender/test_bad_answers.py


def stage(answer: Answer) -> str | None:
    return answer.failure.stage if answer.failure else None


def test_a_whole_answer_is_kept(receive: Receive, post: Post) -> None:
    target = receive(lambda to: to.sendall(OK + b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nthank"))
    answer = post(target)
    assert (answer.status_code, answer.body, answer.truncated, answer.failure) == (200, "thank", False, None)
    assert answer.headers == {"content-type": "text/plain", "content-length": "5"}


def drip(to: socket.socket, head: bytes, byte: bytes) -> None:
    to.sendall(head)
    while True:
        to.sendall(byte)
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("manners", "status_code"),
    [
        ("silence", None),
        ("one byte of headers at a time", 200),
        ("one byte of body at a time", 200),
        ("one byte of an unsized body at a time", 200),
        ("one chunk at a time", 200),
        ("100 Continue for ever", None),
    ],
)
def test_a_slow_receiver_is_left_at_the_deadline(
    receive: Receive, post: Post, manners: str, status_code: int | None
) -> None:
    behaviours: dict[str, Callable[[socket.socket], object]] = {
        "silence": lambda to: to.recv(1),
        "one byte of headers at a time": lambda to: drip(to, OK + b"X-Slow: ", b"a"),
        "one byte of body at a time": lambda to: drip(to, OK + b"Content-Length: 9999\r\n\r\n", b"a"),
        "one byte of an unsized body at a time": lambda to: drip(to, OK + b"\r\n", b"a"),
        "one chunk at a time": lambda to: drip(to, OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        "100 Continue for ever": lambda to: drip(to, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    }
    answer = post(receive(behaviours[manners]))
    assert stage(answer) == "deadline"
    assert answer.status_code == status_code
    assert 1000 <= answer.duration_ms < 1500


def test_a_receiver_that_does_not_read_is_left_at_the_deadline(receive: Receive, post: Post) -> None:
    answer = post(receive(lambda to: time.sleep(1.5), unread=True), body=b"x" * 50_000_000)
    assert stage(answer) == "deadline"
    assert answer.duration_ms < 1500


def test_an_endless_body_is_read_to_16_kilobytes(receive: Receive, post: Post) -> None:
    def pour(to: socket.socket) -> None:
        to.sendall(OK + b"\r\n")
        while True:
            to.sendall(b"x" * 65536)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = post(receive(pour))
    assert (answer.status_code, answer.truncated, stage(answer)) == (200, True, None)
    assert answer.body == "x" * 16384
    assert answer.duration_ms < 900
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


def test_a_gzip_bomb_stays_packed(receive: Receive, post: Post) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answer = post(receive(lambda to: to.sendall(head + bomb)))
    assert answer.truncated
    assert answer.body is not None
    assert len(answer.body) <= 16384


def test_a_megabyte_of_headers_is_no_answer(receive: Receive, post: Post) -> None:
    answer = post(receive(lambda to: to.sendall(OK + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n")))
    assert (stage(answer), answer.status_code) == ("headers", None)


def test_many_headers_are_kept_in_part(receive: Receive, post: Post) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 500) for number in range(50))
    answer = post(receive(lambda to: to.sendall(OK + many + b"Content-Length: 0\r\n\r\n")))
    assert stage(answer) is None
    assert sum(len(name) + len(value) for name, value in answer.headers.items()) <= 4096


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", ("headers", None)),
        (b"HTTP/1.1 2", ("headers", None)),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ("headers", None)),
        (b"HTTP/1.1 999999 OK\r\n\r\n", ("headers", None)),
        (OK + b"Content-Length: 10\r\n\r\nhalf", ("body", 200)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal", ("body", 200)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", ("body", 200)),
    ],
)
def test_an_answer_that_breaks_off_is_a_failure(
    receive: Receive, post: Post, sent: bytes, expected: tuple[str, int | None]
) -> None:
    def break_off(to: socket.socket) -> None:
        to.sendall(sent)
        raise OSError

    answer = post(receive(break_off))
    assert (stage(answer), answer.status_code) == expected


def test_what_no_database_can_store_is_made_readable(receive: Receive, post: Post) -> None:
    body = b"a\x00b\xff\xfe"
    head = OK + b"X-Odd: \x00\xff\r\nContent-Length: 5\r\n\r\n"
    answer = post(receive(lambda to: to.sendall(head + body)))
    assert answer.body == "a␀b\ufffd\ufffd"
    assert answer.headers == {"x-odd": "␀\ufffd", "content-length": "5"}


@pytest.mark.parametrize("status_code", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(receive: Receive, post: Post, status_code: int) -> None:
    asked: list[str] = []
    metadata = receive(lambda to: asked.append("followed"))
    location = f"http://127.0.0.1:{metadata.port}/latest/meta-data/".encode()
    head = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status_code, location)
    answer = post(receive(lambda to: to.sendall(head)))
    assert (answer.status_code, answer.failure) == (status_code, None)
    assert asked == []
