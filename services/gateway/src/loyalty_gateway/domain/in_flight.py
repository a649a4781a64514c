"""How many requests of one organization, or of one visitor's address, may be under way in this process at a time.

A rate says nothing of requests that wait: without this, one organization on one slow service could hold every
connection that the gateway has.
"""

from __future__ import annotations

from collections.abc import Callable

from loyalty_common.errors import RateLimited

Holder = int | str
"""An organization by its id, a visitor by the household of his address."""


class InFlight:
    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: dict[Holder, int] = {}

    def enter(self, holder: Holder) -> Callable[[], None]:
        """What ends it again, however often it is called. ``RateLimited`` if that many are under way already."""
        # No lock: nothing in here lets another greenlet run.
        under_way = self._under_way.get(holder, 0)
        if under_way >= self._most:
            raise RateLimited("Too many requests of this caller are under way.", headers={"Retry-After": "1"})
        self._under_way[holder] = under_way + 1
        has_left = False

        def leave() -> None:
            nonlocal has_left
            if has_left:
                return
            has_left = True
            self._under_way[holder] -= 1
            if self._under_way[holder] == 0:
                del self._under_way[holder]

        return leave
