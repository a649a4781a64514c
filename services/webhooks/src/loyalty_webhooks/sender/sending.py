"""The sender: takes what is due, gives it to threads, and sees to it that all is finished before it stops."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from loyalty_webhooks.domain.claiming import LEASE_S, MAX_BATCH, ClaimedDelivery, claim, hand_back, reap
from loyalty_webhooks.domain.plans import prefer_indexes
from loyalty_webhooks.sender.attempting import Attempter
from loyalty_webhooks.sender.reporting import Reporter, may_pass
from loyalty_webhooks.sender.slots import Slots
from loyalty_webhooks.sender.turns import Turns
from loyalty_webhooks.transport.client import ATTEMPT_S

POLL_S = 0.01
_BUSY_S = 0.02
_REAP_EVERY_S = 1.0
_AFTER_TROUBLE_S = 0.5
_log = structlog.get_logger()


class Sender:
    """``run`` until stopped. Any number of these may work on one database."""

    def __init__(self, *, engine: Engine, attempter: Attempter, threads: int) -> None:
        prefer_indexes(engine)
        self._engine = engine
        self._polling = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._attempter = attempter
        self._reporter = Reporter(engine)
        self._work: queue.SimpleQueue[tuple[ClaimedDelivery, float] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._attempt_for_ever, name=f"attempt-{n}") for n in range(threads)]
        self._slots = Slots(threads)
        self._turns = Turns()

    def run(self, stop: threading.Event) -> None:
        self._reporter.start()
        for thread in self._threads:
            thread.start()
        try:
            self._claim_until(stop)
        finally:
            self._hand_back()
            for _ in self._threads:
                self._work.put(None)
            for thread in self._threads:
                thread.join()
            self._reporter.finish()

    def _claim_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                with self._polling.connect() as polling:
                    self._claim_over(polling, stop)
            except SQLAlchemyError as error:
                if not may_pass(error):
                    raise
                _log.warning("claiming_interrupted", error=type(error).__name__)
                stop.wait(_AFTER_TROUBLE_S)

    def _claim_over(self, polling: Connection, stop: threading.Event) -> None:
        """``polling`` is kept, and in no transaction: looking for work is one round trip."""
        reap_at = 0.0
        while not stop.is_set():
            if not self._reporter.is_running():
                raise RuntimeError("nothing writes down what came of attempts any more")
            if time.monotonic() >= reap_at:
                self._reap()
                reap_at = time.monotonic() + _REAP_EVERY_S
            goes_on = self._claim(polling)
            if self._slots.pool().is_busy:
                # A claim of one delivery costs nearly what one of forty does: let more threads come free.
                stop.wait(_BUSY_S)
            elif not goes_on:
                stop.wait(POLL_S)

    def _claim(self, polling: Connection) -> bool:
        """Lease as much as there is room for; whether to look again at once, since there may be more."""
        pool = self._slots.pool()
        if pool.idle == 0:
            return False
        found = self._turns.next(polling, idle=pool.idle)
        candidates = self._turns.awake(found)
        if not candidates:
            return self._turns.pass_on(found)
        start_by = time.monotonic() + LEASE_S - ATTEMPT_S
        with self._engine.begin() as connection:
            claimed, passed_over = claim(connection, candidates, pool)
        self._slots.take(delivery.slot for delivery in claimed)
        for delivery in claimed:
            self._work.put((delivery, start_by))
        self._turns.rest(passed_over)
        if len(claimed) == min(pool.idle, MAX_BATCH):
            self._turns.end_with(candidates, {(delivery.tenant_id, delivery.endpoint_id) for delivery in claimed})
            return len(claimed) == MAX_BATCH
        return self._turns.pass_on(found)

    def _hand_back(self) -> None:
        """What no thread has begun, so that who stops waits for one round of attempts and not for two."""
        waiting = []
        with suppress(queue.Empty):
            while work := self._work.get_nowait():
                waiting.append(work[0])
        if not waiting:
            return
        try:
            with self._engine.begin() as connection:
                hand_back(connection, waiting)
        except SQLAlchemyError as error:
            # Then their leases run out.
            _log.warning("not_handed_back", count=len(waiting), error=type(error).__name__)

    def _reap(self) -> None:
        with self._engine.begin() as connection:
            count = reap(connection)
        if count:
            _log.warning("leases_expired", count=count)

    def _attempt_for_ever(self) -> None:
        while (work := self._work.get()) is not None:
            delivery, start_by = work
            try:
                # This process may have been stopped since it claimed: then the lease could end in mid-attempt.
                if time.monotonic() < start_by:
                    self._reporter.report(self._attempter.attempt(delivery))
            except Exception:
                # Our own fault, not the receiver's: no attempt is counted, the lease runs out, and it is tried again.
                _log.exception("attempt_crashed", delivery_id=delivery.delivery_id)
            finally:
                self._slots.give_back(delivery.slot)
