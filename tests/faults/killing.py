"""Kills processes of a suite at random, and remembers which deliveries were under way when that mattered."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from loyalty_testing.rabbitmq import RabbitMQ
from loyalty_testing.soak import SOAKING

BROKER = "rabbitmq"
_LEASES = "select delivery_id from delivery_queue where claim_id is not null"
# Whose death can part an answer from the commit of it.
_PARTING = {"webhooks-deliver", "postgres"}
_PAUSES_S = (1.0, 2.5) if SOAKING else (0.3, 0.9)
_ROUNDS_BEFORE_ALL = 2
_SETTLES_S = 0.05  # for what a sender had asked of the database when it was halted
_IDLES_S = 3.0  # so long a kill waits for the moment at which something is under way
_RECOVERS_S = 120


class Killer:
    """``killed`` counts by process; ``in_flight`` are the deliveries that had a lease when sender or database died."""

    def __init__(self, suite: Any, broker: RabbitMQ | None) -> None:
        self.killed: Counter[str] = Counter()
        self.in_flight: set[int] = set()
        self._suite, self._broker = suite, broker if broker and broker.is_ours else None
        self._over = threading.Event()
        self._trouble: list[Exception] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self._work, name="killer")
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
        assert self._trouble == []

    def _work(self) -> None:
        try:
            for victims in self._order():
                if self._over.wait(random.uniform(*_PAUSES_S)):
                    return
                self._kill(victims)
        except Exception as trouble:
            self._trouble.append(trouble)

    def _order(self) -> Iterator[Sequence[str]]:
        """Everything twice in random order, then all at once; at full size again and again."""
        names = [name for name in self._suite.processes if "job" not in name] + [BROKER] * bool(self._broker)
        while True:
            for _ in range(_ROUNDS_BEFORE_ALL):
                yield from ([name] for name in random.sample(names, len(names)))
            yield names
            if not SOAKING:
                return

    def _kill(self, victims: Sequence[str]) -> None:
        if _PARTING.isdisjoint(victims):
            self._kill_each(victims)
            return
        patience = time.monotonic() + _IDLES_S
        while True:
            with self._halted("webhooks-deliver"):
                leased = self._leased()
                if leased or time.monotonic() > patience:
                    self.in_flight |= leased
                    self._kill_each(victims)
                    return
            time.sleep(0.01)

    def _kill_each(self, victims: Sequence[str]) -> None:
        for name in victims:
            if name == BROKER and self._broker:
                self._broker.kill()
            else:
                self._suite.processes[name].kill()
            self.killed[name] += 1

    @contextmanager
    def _halted(self, name: str) -> Iterator[None]:
        """Stopped in mid-step, so that what is under way stays so, until the block has done what it will to it."""
        pid = self._suite.processes[name].pid
        if pid is None:
            yield
            return
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGSTOP)
        try:
            time.sleep(_SETTLES_S)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGCONT)

    def _leased(self) -> set[int]:
        """Asked until the database answers, which may have been killed a moment ago."""
        deadline = time.monotonic() + _RECOVERS_S
        while True:
            try:
                with psycopg.connect(self._suite.layout.database_urls["webhooks"], connect_timeout=5) as webhooks:
                    return {row[0] for row in webhooks.execute(_LEASES)}
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
