"""Writes down what came of attempts, in batches, while the next ones are under way."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence

import psycopg
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from loyalty_common import tracing
from loyalty_common.database import is_outage
from loyalty_webhooks.domain.claiming import LEASE_S, MAX_BATCH
from loyalty_webhooks.domain.completing import complete
from loyalty_webhooks.domain.learning import Completion

_RETRY_S = 0.2
_GATHER_S = 0.004  # one transaction for ten is a fifth of the work of ten transactions
_log = structlog.get_logger()


class Reporter:
    """One thread between the workers and the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._completions: queue.SimpleQueue[Completion | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="reporter")

    def start(self) -> None:
        self._thread.start()

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def report(self, completion: Completion) -> None:
        self._completions.put(completion)

    def finish(self) -> None:
        """Write what was reported so far, then end."""
        self._completions.put(None)
        self._thread.join()

    def _run(self) -> None:
        more = True
        while more:
            batch, more = self._next_batch()
            if batch:
                self._write(batch)

    def _next_batch(self) -> tuple[list[Completion], bool]:
        """What has gathered since the last batch and a moment more; and whether more can follow."""
        batch: list[Completion] = []
        completion = self._completions.get()
        time.sleep(_GATHER_S)
        while completion is not None:
            batch.append(completion)
            if len(batch) == MAX_BATCH:
                return batch, True
            try:
                completion = self._completions.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _write(self, batch: Sequence[Completion]) -> None:
        # Once the leases have run out, trying on is of no use: others hold the deliveries.
        deadline = time.monotonic() + LEASE_S
        while True:
            try:
                with self._engine.begin() as connection:
                    refused = complete(connection, batch)
            except SQLAlchemyError as error:
                if not may_pass(error):
                    return self._write_apart(batch, error)
                if time.monotonic() > deadline:
                    _log.error("completions_lost", count=len(batch), error=type(error).__name__)
                    return None
                time.sleep(_RETRY_S)
            else:
                return self._conclude(batch, refused)

    def _write_apart(self, batch: Sequence[Completion], error: SQLAlchemyError) -> None:
        """One completion cannot be stored: the others of its batch must not suffer for it."""
        if len(batch) == 1:
            _log.error("completion_refused_by_database", delivery_id=batch[0][0].delivery_id, exc_info=error)
            return
        for completion in batch:
            self._write([completion])

    def _conclude(self, batch: Sequence[Completion], refused: Sequence[Completion]) -> None:
        for completion in batch:
            delivery, attempt, outcome = completion
            _log.info(
                "attempt" if completion not in refused else "attempt_after_lease",
                tenant_id=delivery.tenant_id,
                endpoint_id=delivery.endpoint_id,
                delivery_id=delivery.delivery_id,
                message_event=delivery.event,
                trace_id=tracing.trace_id(delivery.traceparent),
                number=attempt.number,
                status_code=attempt.status_code,
                error_stage=attempt.error_stage,
                duration_ms=attempt.duration_ms,
                outcome=outcome.status,
            )


def may_pass(error: SQLAlchemyError) -> bool:
    """Whether the same statement can succeed later."""
    return is_outage(error) or (
        isinstance(error, DBAPIError)
        and isinstance(error.orig, psycopg.errors.DeadlockDetected | psycopg.errors.LockNotAvailable)
    )
