"""Search in the documentation: every word must be found, and where it is found decides the order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from loyalty_dashboard.portal.documentation import Documentation
from loyalty_dashboard.portal.operations import Operation
from loyalty_dashboard.portal.schemas import Field

_LONGEST = 100
_WORD = re.compile(r"[^\s/{}?&=,;:()\"'`]+")


@dataclass(frozen=True)
class Entry:
    """``label`` stands before the title: a method, or what kind of thing it is. ``words`` are not shown."""

    label: str
    title: str
    detail: str
    url: str
    words: str = ""

    def score(self, term: str) -> int:
        """0 where ``term`` is not found at all."""
        title, detail = _plain(self.title), _plain(f"{self.label} {self.detail}")
        if term in _WORD.findall(title):
            return 12
        for place, worth in ((title, 8), (detail, 5), (_plain(self.words), 2)):
            if term in place:
                return worth
        return 0


def find(entries: Iterable[Entry], query: str, *, limit: int = 30) -> list[Entry]:
    """The best first; of equal ones in the order of the documentation. Nothing for an empty query."""
    terms = _WORD.findall(_plain(query[:_LONGEST]))
    if not terms:
        return []
    rated = [(sum(scores), entry) for entry in entries if all(scores := [entry.score(term) for term in terms])]
    return [entry for _, entry in sorted(rated, key=lambda each: -each[0])][:limit]


def entries(documentation: Documentation, guides: Sequence[Entry]) -> Iterator[Entry]:
    """``guides`` are the pages that are written by hand."""
    yield from guides
    for group in documentation.groups:
        for operation in group.operations:
            url = f"/docs/api/{group.slug}#{operation.anchor}"
            yield Entry(operation.method, operation.summary, operation.path, url, _words(operation))
    for event in documentation.events:
        words = f"{event.description} {' '.join(_names(event.fields))}"
        yield Entry("Event", event.name, event.description, f"/docs/events/{event.name}", words)


def _words(operation: Operation) -> str:
    fields = [*operation.path_parameters, *operation.query_parameters, *operation.body_fields]
    described = " ".join(field.description for field in fields)
    return f"{operation.description} {operation.tag} {operation.scope} {' '.join(_names(fields))} {described}"


def _names(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from field.choices
        yield from _names(field.fields)


def _plain(text: str) -> str:
    """Without case and accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))
