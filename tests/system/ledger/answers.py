"""What a call answers: as the API said it, or as the model expects it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import requests

_TELLING = """
    id type status points_delta points_balance_after stamps_delta stamps_balance_after discount_amount allowed valid
    reason claim transaction enrollment
""".split()


@dataclass
class Answer:
    """``data`` that is expected holds what the model knows, ``...`` for what it cannot, and is told that by ``learn``.

    ``flags``: ``replayed``, ``duplicate``, ``reversed``.
    """

    status: int
    data: Any = None
    reason: str | None = None
    flags: frozenset[str] = frozenset()

    @classmethod
    def of(cls, response: requests.Response) -> Self:
        body = response.json()
        flags = {name for name in ("duplicate", "reversed") if body["meta"].get(name)}
        flags |= {"replayed"} if response.headers.get("Idempotent-Replayed") == "true" else set()
        return cls(response.status_code, body.get("data"), body.get("error", {}).get("reason"), frozenset(flags))

    def fits(self, said: Answer) -> bool:
        """Whether ``said`` is what is expected, as far as that is known."""
        mine, theirs = (self.status, self.reason, self.flags), (said.status, said.reason, said.flags)
        return mine == theirs and _agree(self.data, said.data)

    def learn(self, said: Answer) -> None:
        """Fill in what the service chose: ids, codes, times."""
        _fill(self.data, said.data)

    def __str__(self) -> str:
        told = self.reason or _brief(self.data)
        return " ".join([str(self.status), *sorted(self.flags), str(told)])


def refused(reason: str | None) -> Answer:
    return Answer(400, reason=reason)


def repeated(data: Any, *, was_reversed: bool = False) -> Answer:
    return Answer(200, data, flags=frozenset(["duplicate", *(["reversed"] if was_reversed else [])]))


def _agree(expected: Any, said: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(said, dict) and all(key in said and _agree(expected[key], said[key]) for key in expected)
    if isinstance(expected, list):
        return isinstance(said, list) and len(expected) == len(said) and all(map(_agree, expected, said))
    return expected is ... or bool(expected == said)


def _fill(expected: Any, said: Any) -> None:
    if isinstance(expected, list):
        for mine, theirs in zip(expected, said, strict=True):
            _fill(mine, theirs)
    elif isinstance(expected, dict):
        for key, value in said.items():
            if isinstance(expected.get(key), dict | list):
                _fill(expected[key], value)
            else:
                expected[key] = value


def _brief(data: Any) -> Any:
    """What decides, of all that an object shows."""
    if isinstance(data, list):
        return [_brief(one) for one in data]
    if not isinstance(data, dict):
        return data
    return {key: _brief(data[key]) for key in _TELLING if data.get(key) is not None}
