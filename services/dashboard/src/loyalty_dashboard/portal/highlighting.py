"""Code in colours: spans with Pygments' short class names, which the style sheet knows."""

from __future__ import annotations

import functools

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

_FORMATTER = HtmlFormatter(nowrap=True)


@functools.lru_cache(maxsize=4096)
def highlighted(code: str, language: str) -> Markup:
    """``language`` by Pygments' name of it. The code itself is escaped."""
    options = {"startinline": False} if language == "php" else {}
    return Markup(highlight(code, get_lexer_by_name(language, stripnl=False, **options), _FORMATTER).rstrip("\n"))  # noqa: S704
