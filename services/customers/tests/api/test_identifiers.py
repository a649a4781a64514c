"""What a till is shown leads to one customer; what identifies him is shown as a QR code."""

import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import segno
from flask import Flask, jsonify, request
from sqlalchemy import Engine
from werkzeug.serving import make_server

from loyalty_customers.app import create_app
from loyalty_customers.settings import Settings

Call = Callable[..., Any]
NUMBER = "4821-0093-7713"
AT = "2026-05-16T10:05:00+00:00"


class Programs:
    """Stands where programs would; ``enrollments`` by tenant is not told apart, since ids of customers are unique."""

    def __init__(self) -> None:
        self.enrollments: list[dict[str, Any]] = []
        self.asked = 0
        self.url = ""

    def enroll(self, customer_id: int, *, card_id: int = 12, number: str = NUMBER) -> dict[str, Any]:
        enrollment = {"id": 88, "customer_id": customer_id, "loyalty_card_id": card_id, "member_number": number}
        enrollment |= {"status": "active", "points_balance": 52, "created_at": AT, "updated_at": AT}
        self.enrollments.append(enrollment)
        return enrollment

    def find(self) -> Any:
        assert request.headers["Authorization"].startswith("Bearer ")
        self.asked += 1
        asked = request.args.items()
        found = [one for one in self.enrollments if all(str(one[name]) == value for name, value in asked)]
        return jsonify(data={"enrollments": found})


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Programs, str]]:
    programs, app = Programs(), Flask("programs")
    app.add_url_rule("/internal/enrollments", view_func=programs.find)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    (thread := threading.Thread(target=server.serve_forever)).start()
    yield programs, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def programs(server: tuple[Programs, str]) -> Programs:
    server[0].enrollments, server[0].asked = [], 0
    return server[0]


@pytest.fixture(scope="module")
def app(settings: Settings, engine: Engine, server: tuple[Programs, str]) -> Iterator[Flask]:
    app = create_app(replace(settings, programs_url=server[1]))
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def get(app: Flask, gateway_token: Callable[..., str], tenant_id: int) -> Call:
    """A GET where programs answers; the organization is in the US."""

    def get(path: str, *, tenant: int = 0, **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {gateway_token('customers', tenant_id=tenant or tenant_id)}"}
        return app.test_client().get(f"/v1{path}", query_string=query or None, headers=headers)

    return get


@pytest.fixture
def alex(call: Call) -> Any:
    sent = {"email": "alex@example.com", "name": "Alex Rivera", "phone": "+15551234567"}
    return call("POST", "/customers", sent).json["data"]


@pytest.mark.parametrize(
    ("identifier", "matched_by"),
    [
        ("ALEX@example.com", "email"),
        ("+15551234567", "phone"),
        (" 15551234567", "phone"),
        ("(555) 123-4567", "phone"),
        (NUMBER, "member_number"),
        (NUMBER.replace("-", ""), "member_number"),
        (f" {NUMBER} ", "member_number"),
        (f"loyalty:member:{NUMBER}", "qr"),
    ],
)
def test_a_customer_is_found_by_whatever_he_shows(
    get: Call, programs: Programs, alex: Any, identifier: str, matched_by: str
) -> None:
    enrollment = programs.enroll(alex["id"])
    shown = enrollment if matched_by in ("member_number", "qr") else None
    answer = get("/customers/lookup", identifier=identifier)
    assert answer.status_code == 200
    assert answer.json["data"] == {**alex, "matched_by": matched_by, "enrollment": shown}


def test_the_plus_of_a_phone_number_may_be_left_unescaped(get: Call, programs: Programs, alex: Any) -> None:
    assert get("/customers/lookup?identifier=+15551234567").json["data"]["id"] == alex["id"]


@pytest.mark.parametrize(
    "identifier",
    [
        *("sam@example.com", "alex@example", "@", "+15557654321", "555", "Alex Rivera", "1042"),
        *("4821-0093-7714", "loyalty:member:4821-0093-7714", "loyalty:member:", "loyalty:member:alex@example.com"),
        *("loyalty:member:+15551234567", "LOYALTY:MEMBER:4821-0093-7713", "%", "x" * 255),
    ],
)
def test_an_identifier_of_nobody_is_404(get: Call, programs: Programs, alex: Any, identifier: str) -> None:
    programs.enroll(alex["id"])
    answer = get("/customers/lookup", identifier=identifier)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")


def test_nobody_is_found_by_another_tenant(get: Call, programs: Programs, alex: Any, tenant_id: int) -> None:
    programs.enroll(alex["id"])
    for identifier in ("alex@example.com", "+15551234567", NUMBER):
        assert get("/customers/lookup", tenant=tenant_id + 1_000_000, identifier=identifier).status_code == 404


def test_a_phone_that_several_have_identifies_nobody(get: Call, call: Call, programs: Programs, alex: Any) -> None:
    call("POST", "/customers", {"email": "sam@example.com", "phone": alex["phone"]})
    refused = get("/customers/lookup", identifier=alex["phone"])
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "ambiguous_identifier")
    assert list(refused.json["error"]["details"]) == ["identifier"]


def test_twelve_digits_that_are_no_member_number_may_be_a_phone(get: Call, call: Call, programs: Programs) -> None:
    customer = call("POST", "/customers", {"email": "berlin@example.com", "phone": "+493090182012"}).json["data"]
    found = get("/customers/lookup", identifier="+493090182012").json["data"]
    assert (found["id"], found["matched_by"], programs.asked) == (customer["id"], "phone", 0)
    rome = call("POST", "/customers", {"email": "rome@example.com", "phone": "011390612345"}).json["data"]
    assert get("/customers/lookup", identifier="011390612345").json["data"]["id"] == rome["id"]
    assert programs.asked == 1


@pytest.mark.parametrize("query", [{}, {"identifier": ""}, {"identifier": "x" * 256}, {"identifier": "a\x00"}])
def test_an_identifier_is_one_line_of_text(get: Call, query: Any) -> None:
    refused = get("/customers/lookup", **query)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["identifier"])


def test_programs_is_asked_outside_any_transaction(get: Call, app: Flask, programs: Programs, alex: Any) -> None:
    programs.enroll(alex["id"])
    pool, held = app.extensions["engine"].pool, []
    ask = app.extensions["programs"].get

    def watch(*arguments: Any, **options: Any) -> Any:
        held.append(pool.checkedout())
        return ask(*arguments, **options)

    app.extensions["programs"].get = watch
    get("/customers/lookup", identifier=NUMBER)
    get(f"/customers/{alex['id']}/qr")
    app.extensions["programs"].get = ask
    assert held == [0, 0]


def test_while_programs_is_down_only_member_numbers_wait(call: Call, alex: Any) -> None:
    for path in (f"/customers/lookup?identifier={NUMBER}", f"/customers/{alex['id']}/qr"):
        answer = call("GET", path)
        assert (answer.status_code, answer.json["error"]["code"]) == (503, "unavailable")
        assert "Retry-After" in answer.headers
    assert call("GET", "/customers/lookup?identifier=alex@example.com").status_code == 200
    assert call("GET", "/customers/lookup?identifier=%2B15551234567").status_code == 200


def modules_of(png: bytes) -> list[list[int]]:
    """The dark modules of a picture of one bit per pixel, 8 pixels a module, without the quiet zone of 4."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        chunks[kind], body = png[at + 8 : at + 8 + length], png[at + 4 : at + 8 + length]
        assert int.from_bytes(png[at + 8 + length : at + 12 + length]) == zlib.crc32(body)
        at += 12 + length
    width, height = int.from_bytes(chunks[b"IHDR"][:4]), int.from_bytes(chunks[b"IHDR"][4:8])
    assert chunks[b"IHDR"][8:] == bytes([1, 0, 0, 0, 0])
    stride, raw = 1 + (width + 7) // 8, zlib.decompress(chunks[b"IDAT"])
    lines = [bytes(stride - 1)]
    for row in range(height):
        filtered, *line = raw[row * stride : (row + 1) * stride]
        assert filtered in (0, 2)
        lines.append(bytes((now + above * (filtered == 2)) % 256 for now, above in zip(line, lines[-1], strict=True)))
    pixels = [[1 - (line[x // 8] >> (7 - x % 8) & 1) for x in range(width)] for line in lines[1:]]
    return [row[32:-32:8] for row in pixels[32:-32:8]]


def test_a_png_shows_the_modules_of_the_payload(get: Call, programs: Programs, alex: Any) -> None:
    programs.enroll(alex["id"])
    answer = get(f"/customers/{alex['id']}/qr", format="png")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    expected = segno.make_qr(f"loyalty:member:{NUMBER}", error="m")
    assert modules_of(answer.data) == [list(row) for row in expected.matrix]


def test_an_svg_is_the_default_and_shows_the_payload_on_white(get: Call, programs: Programs, alex: Any) -> None:
    programs.enroll(alex["id"])
    answer = get(f"/customers/{alex['id']}/qr")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert answer.data == get(f"/customers/{alex['id']}/qr", format="svg", loyalty_card_id=12).data
    expected = segno.make_qr(f"loyalty:member:{NUMBER}", error="m").svg_inline(scale=8, light="white")
    path = expected.partition('d="')[2].partition('"')[0]
    assert path.encode() in answer.data
    assert b'fill="#fff"' in answer.data


def test_a_customer_of_several_cards_says_which(get: Call, programs: Programs, alex: Any) -> None:
    path = f"/customers/{alex['id']}/qr"
    programs.enroll(alex["id"], card_id=12)
    programs.enroll(alex["id"], card_id=13, number="1111-2222-3333")
    refused = get(path)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["loyalty_card_id"])
    assert get(path, loyalty_card_id=12).data != get(path, loyalty_card_id=13).data


def test_who_is_not_enrolled_has_no_code(get: Call, programs: Programs, alex: Any) -> None:
    for query in ({}, {"loyalty_card_id": 13}):
        refused = get(f"/customers/{alex['id']}/qr", **query)
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "customer_not_enrolled")
        assert list(refused.json["error"]["details"]) == list(query)


def test_who_is_not_there_is_404_whatever_is_asked(get: Call, programs: Programs, alex: Any, tenant_id: int) -> None:
    programs.enroll(alex["id"])
    for query in ({}, {"format": "gif"}, {"loyalty_card_id": "x"}):
        assert get("/customers/999999999/qr", **query).status_code == 404
        assert get(f"/customers/{alex['id']}/qr", tenant=tenant_id + 1_000_000, **query).status_code == 404
    assert programs.asked == 0


@pytest.mark.parametrize(
    ("query", "field"), [({"format": "gif"}, "format"), ({"loyalty_card_id": 0}, "loyalty_card_id")]
)
def test_a_picture_that_cannot_be_is_refused(get: Call, alex: Any, query: Any, field: str) -> None:
    refused = get(f"/customers/{alex['id']}/qr", **query)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])
