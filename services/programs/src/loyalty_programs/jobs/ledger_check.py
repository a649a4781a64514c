"""The ledger is checked again and again, and Prometheus shown what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from loyalty_common.metrics import Asked, gauge
from loyalty_programs.domain.ledger_faults import RULES, Findings, check

_log = structlog.get_logger()


class LedgerWatch:
    """``figures`` shows the last findings, and nothing before the first: not to have looked is not to be sound."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: tuple[float, Findings] | None = None
        self.figures = Asked(self._show)

    def run(self, stop: threading.Event, *, every_s: float) -> None:
        while not stop.is_set():
            try:
                self.look()
            except SQLAlchemyError as error:
                # The figure grows old, which is what the alert is about.
                _log.warning("ledger_not_checked", error=type(error).__name__)
            stop.wait(every_s)

    def look(self) -> None:
        findings = check(self._engine)
        self._last = time.time(), findings
        for fault in findings.faults:
            _log.error("ledger_fault", rule=fault.rule, count=fault.count, first=fault.first)
        _log.info("ledger_checked", faults=len(findings.faults), **findings.counts)

    def _show(self) -> Iterator[Metric]:
        if self._last is None:
            return
        at, findings = self._last
        counts = dict.fromkeys(RULES, 0) | {fault.rule: fault.count for fault in findings.faults}
        faults = GaugeMetricFamily("loyalty_ledger_faults", "For how many a rule does not hold.", labels=["rule"])
        for rule, count in counts.items():
            faults.add_metric([rule], count)
        yield faults
        yield gauge("loyalty_ledger_checked_timestamp_seconds", "When the ledger was last checked.", at)
