"""Keys as the database had them a moment ago, so that a request costs no look-up.

What is found is kept for 5 s and what is not for 2 s, counted from before the look-up. Of many requests that miss at
the same moment one asks the database and the others wait for its answer. A failed look-up is not kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from loyalty_common.errors import Unavailable
from loyalty_gateway.domain.known_keys import KnownKey

FOUND_TTL_S = 5.0
MISSING_TTL_S = 2.0
_CAPACITY = 20_000
_WAIT_S = 5.0

_Entry = tuple[float, KnownKey | None]


class KeyCache:
    """``load`` finds a key by its kid or answers ``None``; it may raise, and then the caller hears of it."""

    def __init__(
        self,
        load: Callable[[str], KnownKey | None],
        *,
        clock: Callable[[], float] = time.monotonic,
        capacity: int = _CAPACITY,
    ) -> None:
        self._load = load
        self._clock = clock
        self._capacity = capacity
        # Apart, so that a flood of invented kids cannot push out the real ones.
        self._found: dict[str, _Entry] = {}
        self._missing: dict[str, _Entry] = {}
        self._flights: dict[str, Future[KnownKey | None]] = {}
        self._lock = threading.Lock()

    def get(self, kid: str) -> KnownKey | None:
        entry = self._found.get(kid) or self._missing.get(kid)
        if entry is not None and self._clock() < entry[0]:
            return entry[1]
        return self._fetch(kid)

    def _fetch(self, kid: str) -> KnownKey | None:
        with self._lock:
            entry = self._found.get(kid) or self._missing.get(kid)
            if entry is not None and self._clock() < entry[0]:
                return entry[1]
            flight = self._flights.get(kid)
            if flight is None:
                leads, flight = True, Future()
                self._flights[kid] = flight
            else:
                leads = False
        if leads:
            return self._ask(kid, flight)
        try:
            return flight.result(_WAIT_S)
        except TimeoutError:
            raise Unavailable from None

    def _ask(self, kid: str, flight: Future[KnownKey | None]) -> KnownKey | None:
        asked_at = self._clock()
        try:
            key = self._load(kid)
        except BaseException as error:
            with self._lock:
                del self._flights[kid]
            flight.set_exception(error)
            raise
        with self._lock:
            self._store(kid, key, asked_at=asked_at)
            del self._flights[kid]
        flight.set_result(key)
        return key

    def _store(self, kid: str, key: KnownKey | None, *, asked_at: float) -> None:
        self._found.pop(kid, None)
        self._missing.pop(kid, None)
        side, ttl_s = (self._missing, MISSING_TTL_S) if key is None else (self._found, FOUND_TTL_S)
        if len(side) >= self._capacity:
            del side[next(iter(side))]
        side[kid] = (asked_at + ttl_s, key)
