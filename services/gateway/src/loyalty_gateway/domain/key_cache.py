"""Keys as the database had them a moment ago, so that a request costs no look-up.

What is found is kept for 5 s and what is not for 2 s, counted from before the look-up; both for 1 s as long as nobody
would tell of a change. Of many requests that miss at the same moment one asks the database and the others wait for its
answer. A failed look-up is not kept, and neither is one during which something was told: it may have been overtaken.
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
UNTOLD_TTL_S = 1.0
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
        self._generation = 0
        self._is_told = False

    def forget_key(self, kid: str) -> None:
        """Whoever asks from now on gets what the database says from now on."""
        with self._lock:
            self._generation += 1
            self._found.pop(kid, None)
            self._missing.pop(kid, None)
            self._flights.pop(kid, None)

    def forget_organization(self, organization_id: int) -> None:
        with self._lock:
            self._generation += 1
            self._found = {kid: entry for kid, entry in self._found.items() if not _is_of(entry[1], organization_id)}
            self._flights.clear()

    def told(self, is_told: bool) -> None:
        """Whether changes are told from now on. What was found before that stays for a second at most."""
        with self._lock:
            self._generation += 1
            self._is_told = is_told
            latest = self._clock() + UNTOLD_TTL_S
            self._found = {kid: (min(until, latest), key) for kid, (until, key) in self._found.items()}
            self._missing = {kid: (min(until, latest), key) for kid, (until, key) in self._missing.items()}

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
            generation = self._generation
            if flight is None:
                leads, flight = True, Future()
                self._flights[kid] = flight
            else:
                leads = False
        if leads:
            return self._ask(kid, flight, generation)
        try:
            return flight.result(_WAIT_S)
        except TimeoutError:
            raise Unavailable from None

    def _ask(self, kid: str, flight: Future[KnownKey | None], generation: int) -> KnownKey | None:
        asked_at = self._clock()
        try:
            key = self._load(kid)
        except BaseException as error:
            with self._lock:
                self._land(kid, flight)
            flight.set_exception(error)
            raise
        with self._lock:
            if self._generation == generation:
                self._store(kid, key, asked_at=asked_at)
            self._land(kid, flight)
        flight.set_result(key)
        return key

    def _land(self, kid: str, flight: Future[KnownKey | None]) -> None:
        if self._flights.get(kid) is flight:
            del self._flights[kid]

    def _store(self, kid: str, key: KnownKey | None, *, asked_at: float) -> None:
        self._found.pop(kid, None)
        self._missing.pop(kid, None)
        side, ttl_s = (self._missing, MISSING_TTL_S) if key is None else (self._found, FOUND_TTL_S)
        if len(side) >= self._capacity:
            del side[next(iter(side))]
        side[kid] = (asked_at + (ttl_s if self._is_told else UNTOLD_TTL_S), key)


def _is_of(key: KnownKey | None, organization_id: int) -> bool:
    return key is not None and key.organization["id"] == organization_id
