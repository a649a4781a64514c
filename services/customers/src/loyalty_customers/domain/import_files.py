"""Files as merchants have them, read row by row at constant memory: CSV of any spreadsheet, or JSON lines. Pure.

A file that cannot be told for certain is refused as a whole, with the place; a bad value is its row's own affair.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from loyalty_common import strict_json
from loyalty_common.errors import MalformedJson
from loyalty_customers.domain.errors import FileUnreadable

CSV, JSON_LINES = "text/csv", "application/x-ndjson"
COLUMNS = ("email", "name", "phone", "loyalty_card_id", "points", "member_since")
_LONGEST_LINE = 256 * 1024
_MOST_COLUMNS = 100
# Our own exports put an apostrophe before what a spreadsheet would take for a formula, and a phone number is one.
_SHIELDED = re.compile(r"'[=+@-]")


@dataclass(frozen=True, slots=True)
class Sheet:
    """``rows``: pairs of row number and cells by ``columns``, which JSON lines may still lengthen while they are read.

    Rows are counted as a spreadsheet shows them, the header being row 1; JSON lines by their lines.
    """

    columns: list[str]
    rows: Iterator[tuple[int, list[Any]]]


@contextmanager
def reading(file: BinaryIO, media_type: str) -> Iterator[Sheet]:
    """The file from its beginning, which stays open; ``FileUnreadable`` now or while rows are read."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield _csv(_lines(text)) if media_type == CSV else _json_lines(_lines(text))
    finally:
        text.detach()


def unknown(columns: list[str]) -> list[str]:
    return [name for name in columns if name and name not in COLUMNS]


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    try:
        for number in itertools.count(1):
            line = text.readline(_LONGEST_LINE)
            if not line:
                return
            if len(line) == _LONGEST_LINE:
                raise FileUnreadable(f"Line {number} is longer than {_LONGEST_LINE} characters.")
            strict_json.refuse_control_characters(line)
            yield line
    except UnicodeDecodeError:
        raise FileUnreadable("The file must be encoded in UTF-8; a spreadsheet saves it as CSV UTF-8.") from None
    except MalformedJson:
        raise FileUnreadable(f"Line {number} contains a control character.") from None


def _csv(lines: Iterator[str]) -> Sheet:
    first = next(lines, "")
    told = re.fullmatch(r"sep=(.)\r?\n?", first)
    if told:
        # Excel's own line, which says how the others are to be read.
        records = enumerate(csv.reader(lines, delimiter=told[1], strict=True), start=2)
    else:
        # The header has no cells in which another separator could stand.
        separator = max(",;\t", key=first.count)
        records = enumerate(csv.reader(itertools.chain([first], lines), delimiter=separator, strict=True), start=1)
    rows = _readable(records)
    _, header = next(rows, (1, []))
    columns = _checked([re.sub(r"[ _-]+", "_", name.strip().casefold()) for name in header])
    return Sheet(columns, ((number, cells) for number, cells in map(_tidied, rows) if cells))


def _readable(records: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, cells in records:
            yield number, cells
    except csv.Error:
        sentence = f"Row {number + 1} cannot be read: a quote is not closed, or something follows a closed one."
        raise FileUnreadable(sentence) from None


def _checked(columns: list[str]) -> list[str]:
    named = [name for name in columns if name]
    if "email" not in named:
        found = ", ".join(named)[:200] or "nothing"
        raise FileUnreadable(f"The first row must name an email column; it names {found}.")
    if len(set(named)) < len(named):
        raise FileUnreadable("The file has two columns of one name.")
    if len(columns) > _MOST_COLUMNS:
        raise FileUnreadable(f"The file has more than {_MOST_COLUMNS} columns.")
    return columns


def _tidied(record: tuple[int, list[str]]) -> tuple[int, list[Any]]:
    """An empty cell is null; those behind the last one that is not are left out."""
    number, cells = record
    tidied = [(cell[1:] if _SHIELDED.match(cell) else cell) or None for cell in map(str.strip, cells)]
    while tidied and tidied[-1] is None:
        tidied.pop()
    return number, tidied


def _json_lines(lines: Iterator[str]) -> Sheet:
    first = next(lines, None)
    if first is None:
        raise FileUnreadable("The file is empty.")
    columns = ["email"]
    return Sheet(columns, _objects(itertools.chain([first], lines), columns))


def _objects(lines: Iterator[str], columns: list[str]) -> Iterator[tuple[int, list[Any]]]:
    places = {name: place for place, name in enumerate(columns)}
    for number, line in enumerate(lines, start=1):
        if line.isspace():
            continue
        try:
            record = strict_json.loads(line.encode())
        except MalformedJson:
            record = None
        if not isinstance(record, dict):
            raise FileUnreadable(f"Line {number} is not a JSON object whose keys differ.")
        for name in [name for name in record if name not in places]:
            if len(columns) == _MOST_COLUMNS:
                raise FileUnreadable(f"The file has more than {_MOST_COLUMNS} columns.")
            places[name] = len(columns)
            columns.append(name)
        yield number, [record.get(name) for name in columns]
