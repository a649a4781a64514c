"""What is declared where a view stands: that nobody has to be signed in, or that no harm can be done by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app

_View = TypeVar("_View", bound=Callable[..., Any])


def public(view: _View) -> _View:
    """Below /dashboard: opens without signing in. Everything elsewhere does anyway."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def harmless(view: _View) -> _View:
    """A POST that may come from anywhere, so that pages without a session can have it."""
    view.is_harmless = True  # type: ignore[attr-defined]
    return view


def is_public(endpoint: str | None) -> bool:
    return _has("is_public", endpoint)


def is_harmless(endpoint: str | None) -> bool:
    return _has("is_harmless", endpoint)


def _has(mark: str, endpoint: str | None) -> bool:
    return bool(getattr(current_app.view_functions.get(endpoint or ""), mark, False))
