"""Which language a page speaks: the one that was chosen, else the first of the browser's that we have.

In Python ``gettext("…")`` translates now; ``mark("…")`` only marks a text of a constant, for ``gettext`` where it is
shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from babel import Locale
from flask import Flask, current_app, g, request

from loyalty_dashboard.web import catalogues
from loyalty_dashboard.web.catalogues import SOURCE_LANGUAGE, Translated

COOKIE = "language"
NAMES = {"en": "English", "de": "Deutsch"}


def install(app: Flask) -> None:
    app.extensions["translations"] = catalogues.load()
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals |= {"language": language, "languages": NAMES}


def language() -> str:
    if "language" not in g:
        g.language = _chosen() or request.accept_languages.best_match(_known()) or SOURCE_LANGUAGE
    chosen: str = g.language
    return chosen


def locale() -> Locale:
    return Locale.parse(language())


def gettext(text: str) -> str:
    return _known()[language()].gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    return _known()[language()].ngettext(one, many, count)


def mark(text: str) -> str:
    return text


def _chosen() -> str | None:
    wanted = request.cookies.get(COOKIE)
    return wanted if wanted in _known() else None


def _known() -> Mapping[str, Translated]:
    known: Mapping[str, Translated] = current_app.extensions["translations"]
    return known
