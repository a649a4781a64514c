"""Files and functions stay readable, and the common library stays small (style.md: the rule of admission)."""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("libs", "services", "deploy", "tests", "benchmarks")
NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


def sources() -> list[Path]:
    """Every Python file but migrations, which are written once and never grow."""
    found = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in FOLDERS)
    return [path for path in found if "versions" not in path.parts and "build" not in path.parts]


def test_no_file_is_longer_than_250_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources()}
    assert [f"{path.relative_to(ROOT)}: {length}" for path, length in lengths.items() if length > 250] == []
    assert statistics.median(length for length in lengths.values() if length > 5) <= 110


def functions(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_nine_functions_in_ten_are_under_30_lines() -> None:
    lengths = [length for path in sources() for length in functions(path)]
    assert sum(length < 30 for length in lengths) / len(lengths) >= 0.9


def code_lines(path: Path) -> int:
    """Lines that hold code: no blank ones, comments or docstrings."""
    text = path.read_text()
    strings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    held = {line for token in tokens if token.type not in NOT_CODE for line in range(token.start[0], token.end[0] + 1)}
    return len(held - strings)


def test_the_common_library_stays_small() -> None:
    """docs/decisions/0003-size-of-the-common-library.md says what is counted by itself, and why."""
    files = list((ROOT / "libs/common/src").rglob("*.py"))
    metrics = sum(code_lines(path) for path in files if path.stem in ("metrics", "figures"))
    messaging = sum(code_lines(path) for path in files if "messaging" in path.parts and path.stem != "figures")
    erasure = sum(code_lines(path) for path in files if path.stem in ("erasure", "personal"))
    tracing = sum(code_lines(path) for path in files if path.stem in ("tracing", "otlp"))
    assert messaging <= 900
    assert erasure <= 150
    assert tracing <= 80
    assert metrics <= 120
    assert sum(code_lines(path) for path in files) - messaging - erasure - tracing - metrics <= 1745
