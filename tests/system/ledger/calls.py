"""What a merchant may call, in any order: small values that Hypothesis draws, made a request of when their turn comes.

Numbers name what there is by then, counted from the newest; where there is nothing yet, there is nothing to call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Protocol

from hypothesis import strategies as st

from tests.system.ledger.answers import Answer
from tests.system.ledger.world import Request, World

REFERENCES = st.sampled_from([None, None, None, "POS-1", "POS-2", "POS-3"])
AMOUNTS = st.sampled_from([Decimal(text) for text in ("4.99", "10.00", "24.50", "30.00", "100.00")])
WHO = st.sampled_from(["alex", "alex", "alex", "sam", "sam", "kim"])


class Call(Protocol):
    def request(self, world: World, people: Mapping[str, int]) -> Request | None:
        """``people``: the ids of the customers, by name."""


def request_of(
    call: Call, path: str, effect: Callable[[World], Answer], body: Mapping[str, Any] | None = None, **more: Any
) -> Request:
    """Of ``body`` without what is null."""
    sent = {name: value for name, value in (body or {}).items() if value is not None}
    return Request(f"{call!r} {path}", path, sent, effect, **more)


def with_field(call: Call, **field: Any) -> Call:
    """The same with another ``reference`` or ``who``, if it is a call that has one."""
    has_it = all(hasattr(call, name) for name in field)
    return replace(call, **field) if has_it else call  # type: ignore[type-var]
