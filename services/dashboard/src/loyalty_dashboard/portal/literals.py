"""JSON values written as literals of a programming language, one entry a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_INDENT = "    "


@dataclass(frozen=True)
class Notation:
    """``names`` are null, true and false; ``empty`` an object without entries; ``arrow`` follows a key.

    Texts are written as JSON writes them, which all of these languages read; ``escaped`` are characters that one of
    them would take for something else.
    """

    names: tuple[str, str, str]
    objects: tuple[str, str]
    empty: str
    arrow: str
    indent: str = _INDENT
    comma_at_the_end: bool = True
    bare_keys: bool = False
    escaped: str = ""

    def write(self, value: Any, *, depth: int = 0) -> str:
        """``value`` as it stands after something else on a line that is indented ``depth`` times."""
        if isinstance(value, dict):
            rows = [f"{self._key(key)}{self.arrow}{self.write(each, depth=depth + 1)}" for key, each in value.items()]
            return self._lines(rows, self.objects, depth) if rows else self.empty
        if isinstance(value, list):
            rows = [self.write(each, depth=depth + 1) for each in value]
            return self._lines(rows, ("[", "]"), depth) if rows else "[]"
        return self._scalar(value)

    def _scalar(self, value: Any) -> str:
        if value is None:
            return self.names[0]
        if isinstance(value, bool):
            return self.names[1 if value else 2]
        if isinstance(value, int | float | Decimal):
            return str(value)  # A decimal as it was written: 24.50 does not become 24.5.
        return self.text(value)

    def text(self, value: str) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return "".join(f"\\{char}" if char in self.escaped else char for char in text)

    def _key(self, key: str) -> str:
        return key if self.bare_keys and key.isidentifier() else self.text(key)

    def _lines(self, rows: list[str], brackets: tuple[str, str], depth: int) -> str:
        inner = "\n".join(f"{self.indent * (depth + 1)}{row}," for row in rows)
        if not self.comma_at_the_end:
            inner = inner.removesuffix(",")
        return f"{brackets[0]}\n{inner}\n{self.indent * depth}{brackets[1]}"


JSON_NOTATION = Notation(("null", "true", "false"), ("{", "}"), "{}", ": ", indent="  ", comma_at_the_end=False)
PYTHON = Notation(("None", "True", "False"), ("{", "}"), "{}", ": ")
JAVASCRIPT = Notation(("null", "true", "false"), ("{", "}"), "{}", ": ", indent="  ", bare_keys=True)
# PHP has one kind of array: an empty one would become a JSON list.
PHP = Notation(("null", "true", "false"), ("[", "]"), "new stdClass()", " => ", escaped="$")


def as_json(value: Any) -> str:
    return JSON_NOTATION.write(value)


def compact(value: Any) -> str:
    """JSON on one line, as the reference has it in its curl."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{compact(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return JSON_NOTATION.write(value)


def plain(value: Any) -> str:
    """As it stands in a query: without quotation marks."""
    return value if isinstance(value, str) else JSON_NOTATION.write(value)


def read_json(text: str) -> Any:
    """Decimals as they are written."""
    return json.loads(text, parse_float=Decimal)
