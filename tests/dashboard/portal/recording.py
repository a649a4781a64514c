"""Writes what was really answered into ``contracts/examples`` (``make examples``).

What is shown already stays, where the answer is still of that kind: only what has come, gone or changed its kind does.
"""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime
from typing import Any

from loyalty_dashboard.portal import literals
from tests.dashboard.portal.story import Translation, is_id, kind, moved

REQUEST_ID = "9f3c2a1e-8b4d-4e1a-9c2d-1a2b3c4d5e6f"
BEGINNING = datetime(2026, 5, 16, 10, tzinfo=UTC)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
# No two things have the same, and none has one so small that a text could mean something else by it.
_ID = re.compile(r"(?<![\w.])\d{5,6}(?![\w.])")
_LONGEST = 400


class Recording:
    def __init__(self, translation: Translation) -> None:
        self._translation = translation
        self._numbers = itertools.count(2001)
        self._later = datetime.now(UTC).replace(microsecond=0) - BEGINNING

    def renewed(self, shown: Any, real: Any, key: str = "") -> Any:
        """``real`` as it is to be shown from now on."""
        if isinstance(real, dict):
            old = shown if isinstance(shown, dict) else {}
            return {name: self.renewed(old.get(name), each, name) for name, each in real.items()}
        if isinstance(real, list):
            old = shown if isinstance(shown, list) else []
            return [self.renewed(old[at] if at < len(old) else None, each, key) for at, each in enumerate(real)]
        if key == "request_id":
            return REQUEST_ID
        if shown is not None and kind(shown) == kind(real) and key != "status":
            return shown
        return self._told(real, key)

    def file(self, real: str) -> str:
        """The beginning of a file."""
        text = self._text(real)
        return (
            text if len(text) <= _LONGEST else text[:_LONGEST].rsplit("\n" if "\n" in text[:300] else " ", 1)[0] + "\n…"
        )

    def _told(self, real: Any, key: str) -> Any:
        if is_id(key, real):
            known = {other: shown for shown, other in self._translation.ids.items()}
            if real not in known:
                known[real] = next(self._numbers)
                self._translation.ids[known[real]] = real
            return known[real]
        if not isinstance(real, str):
            return real
        if key == "payload":
            return literals.compact(self.renewed(None, json.loads(real)))
        return self._text(real)

    def _text(self, real: str) -> str:
        texts = self._translation.texts
        for shown in sorted(texts, key=lambda each: len(texts[each]), reverse=True):
            real = real.replace(texts[shown], shown)
        known = {other: shown for shown, other in self._translation.ids.items()}
        real = _ID.sub(lambda found: str(known.get(int(found[0]), found[0])), real)
        pieces = _TIME.split(real)
        times = [(datetime.fromisoformat(time) - self._later).isoformat() for time in _TIME.findall(real)]
        days = [moved(piece, -self._translation.moved_by) for piece in pieces]
        return "".join(itertools.chain.from_iterable(itertools.zip_longest(days, times, fillvalue="")))
