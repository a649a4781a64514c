"""Texts of the OpenAPI as HTML: paragraphs, and code between backticks. All else is shown as it is written."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")


def prose(text: str) -> Markup:
    """One ``<p>`` for each paragraph."""
    paragraphs = [inline(part) for part in text.split("\n\n") if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(part) for part in paragraphs)


def inline(text: str) -> Markup:
    parts = _CODE.split(" ".join(text.split()))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )
