from decimal import Decimal

import pytest

from loyalty_common.errors import MalformedJson
from loyalty_common.strict_json import loads


def test_numbers_keep_every_digit() -> None:
    assert loads(b'{"amount": 24.50, "points": 3, "big": 123456789012345678901}') == {
        "amount": Decimal("24.50"),
        "points": 3,
        "big": Decimal("123456789012345678901"),
    }


def test_brackets_inside_a_string_are_no_depth() -> None:
    text = "[" * 30
    assert loads(b'{"note": "' + text.encode() + b'\\""}') == {"note": text + '"'}


def test_line_breaks_and_accents_are_text() -> None:
    assert loads('{"notes": "née\\nÉmile 🎂"}'.encode()) == {"notes": "née\nÉmile 🎂"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"\xff\xfe",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": 1e-21}',
        b'{"a": 1e1000000}',
        b'{"a": ' + b"9" * 31 + b"}",
        b'{"a": 0.' + b"3" * 31 + b"}",
        b'{"a": "\\u0000"}',
        b'{"a": ["\\u0007"]}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\u009f"}',
        b'{"a": "\x00"}',
        b'{"a": ' + b"[" * 16 + b"]" * 16 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_could_be_read_in_two_ways_or_cost_too_much_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        loads(body)


def test_sixteen_levels_are_allowed() -> None:
    assert loads(b'{"a": ' + b"[" * 15 + b"]" * 15 + b"}")
