"""JSON as strangers send it: read so that no body can be ambiguous, lossy or expensive.

Numbers are ``Decimal`` of at most 30 digits and an exponent within ±20 (``1e1000000`` was seen to
block a process for 31 s in later arithmetic); ``int`` where the text is one of at most 18 digits.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from loyalty_common.errors import MalformedJson

_MAX_DEPTH = 16
_MAX_DIGITS = 30
_MAX_EXPONENT = 20
_INT_DIGITS = 18  # fits a PostgreSQL bigint
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
# Everything below space but tab, line feed and carriage return, DEL and the C1 block; lone surrogates.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def loads(body: bytes) -> Any:
    """The value, or ``MalformedJson`` with a sentence that says what to mend."""
    if not body.strip(b" \t\r\n"):
        raise MalformedJson("The body is empty.")
    _refuse_depth(body)
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedJson("The body is not valid UTF-8.") from None
    except (ValueError, RecursionError):
        raise MalformedJson from None


def has_control_characters(text: str) -> bool:
    """Or unpaired surrogates: PostgreSQL cannot store NUL, and logs must not be forged."""
    return not (text.isascii() and text.isprintable()) and _FORBIDDEN.search(text) is not None


def refuse_control_characters(text: str) -> None:
    """Called for every string, keys too."""
    if has_control_characters(text):
        raise MalformedJson("The body contains a control character or an unpaired surrogate.")


def _refuse_depth(body: bytes) -> None:
    # Counted before parsing: the standard decoder recurses.
    if body.count(b"[") + body.count(b"{") <= _MAX_DEPTH:
        return
    depth = 0
    for char in _STRINGS.sub(b"", body):
        if char in b"[{":
            depth += 1
            if depth > _MAX_DEPTH:
                raise MalformedJson(f"The body is nested deeper than {_MAX_DEPTH} levels.")
        elif char in b"]}":
            depth -= 1


def _number(text: str) -> Decimal:
    mantissa, _, exponent = text.lower().partition("e")
    digits = mantissa.lstrip("-").replace(".", "")
    if len(digits) > _MAX_DIGITS or (exponent and abs(int(exponent[:6])) > _MAX_EXPONENT):
        raise MalformedJson(f"A number has more than {_MAX_DIGITS} digits or an exponent beyond ±{_MAX_EXPONENT}.")
    return Decimal(text)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _INT_DIGITS else _number(text)


def _constant(text: str) -> NoReturn:
    raise MalformedJson(f"{text} is not a JSON number.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedJson("An object names the same key twice.")
    for key, value in pairs:
        refuse_control_characters(key)
        _check(value)
    return result


def _check(value: Any) -> None:
    if type(value) is str:
        refuse_control_characters(value)
    elif type(value) is list:
        for item in value:
            _check(item)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_integer, parse_constant=_constant
)
