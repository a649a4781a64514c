"""The sender's threads, and what they are busy with."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from loyalty_webhooks.domain.limits import Pool, Slot


class Slots:
    """Counted up by the thread that claims, down by those that attempt."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._busy: Counter[Slot] = Counter()
        self._lock = threading.Lock()

    def pool(self) -> Pool:
        with self._lock:
            return Pool(self._threads, self._busy.copy(), ahead=self._threads)

    def take(self, slots: Iterable[Slot]) -> None:
        with self._lock:
            self._busy.update(slots)

    def give_back(self, slot: Slot) -> None:
        with self._lock:
            self._busy[slot] -= 1
