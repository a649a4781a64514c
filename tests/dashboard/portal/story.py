"""The story of ``contracts/examples``, played to a running suite by a merchant of its own.

What the pages show has happened to Riverside Coffee on 16 May 2026. Another merchant has other ids, other codes, and
another day: ``Translation`` knows which of his stands for which that is shown, and learns more with each answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from loyalty_testing.reference import DATE, DECIMAL, TIME

DAY = date(2026, 5, 16)
CODES = {
    *("member_number", "claim_code", "referral_code", "voucher_code", "card_identifier", "id", "event_id"),
    *("token", "key", "key_hint", "signing_secret", "signing_secret_hint"),
}
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d(?!\d)")
# An id is a whole segment of a path, or what stands behind a name that ends in _id, in any language.
_ID = re.compile(r'((?<=[a-z])/|_id(?:"?: ?|"? => |=))(\d+)(?=[/?",\s.&}]|$)')
# Events of one person, as the log took them in from several services: which comes first differs.
_ANY_EVENT = "answer.data.events[].data"
# Whoever reads them makes their keys himself.
FREE = {"metadata", "changes", "response_headers", "details"}


class Translation:
    """``texts`` and ``ids`` from what is shown to what is real."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = dict(texts)
        self.ids: dict[int, int] = {}
        # Days are those of the merchant's time zone: a card of today is not yet valid where it is still yesterday.
        self.moved_by = datetime.now(ZoneInfo("America/New_York")).date() - DAY

    def real(self, text: str) -> str:
        """A sample as this merchant would send it."""
        for shown in sorted(self.texts, key=len, reverse=True):
            text = text.replace(shown, self.texts[shown])
        text = _ID.sub(lambda found: f"{found[1]}{self.ids.get(int(found[2]), int(found[2]))}", text)
        return moved(text, self.moved_by)

    def learn(self, shown: Any, real: Any, key: str = "") -> None:
        if isinstance(shown, dict) and isinstance(real, dict):
            for name in shown.keys() & real.keys():
                self.learn(shown[name], real[name], name)
        elif isinstance(shown, list) and isinstance(real, list):
            for one, other in zip(shown, real, strict=False):
                self.learn(one, other, key)
        elif is_id(key, shown) and is_id(key, real):
            self.ids[shown] = real
        elif key in CODES and isinstance(shown, str) and isinstance(real, str) and len(shown) > 8 and shown != real:
            self.texts[shown] = real


def moved(text: str, by: timedelta) -> str:
    return _DAY.sub(lambda found: (date.fromisoformat(found[0]) + by).isoformat(), text)


def is_id(key: str, value: Any) -> bool:
    return (key == "id" or key.endswith("_id")) and type(value) is int


def differences(shown: Any, real: Any, where: str = "answer") -> Iterator[str]:
    """In what the shape of ``real`` is another; where null is shown anything may stand. What has a status, has it."""
    if where == _ANY_EVENT:
        return
    if isinstance(shown, dict) and isinstance(real, dict):
        if shown.keys() != real.keys() and where.rpartition(".")[2] not in FREE:
            yield f"{where} has the keys {sorted(real.keys() ^ shown.keys())} more or less than is shown"
        for key in shown.keys() & real.keys():
            yield from differences(shown[key], real[key], f"{where}.{key}")
    elif isinstance(shown, list) and isinstance(real, list):
        if shown and not real:
            yield f"{where} is empty"
        for one, other in zip(shown, real, strict=False):
            yield from differences(one, other, f"{where}[]")
    elif shown is not None and (kind(shown) != kind(real) or (where.endswith(".status") and shown != real)):
        yield f"{where} is {real!r}, where {shown!r} is shown"


def kind(value: Any) -> str:
    for form in (TIME, DECIMAL, DATE):
        if isinstance(value, str) and form.fullmatch(value):
            return form.pattern
    return type(value).__name__
