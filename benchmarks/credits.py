"""``POST …/transactions`` beside what PostgreSQL does with the same rows if no service asks it to."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from benchmarks import stage, tools
from benchmarks.pace import Limit, Line, NotMeasured, Pace, Run
from benchmarks.stage import Merchant
from benchmarks.tools import Done
from loyalty_local.suite import Suite

_CLIENTS = 8


def on_the_service_alone(pace: Pace) -> list[Line]:
    """One gunicorn worker of programs and PostgreSQL; everything else is stopped."""
    with stage.suite_running() as suite:
        till = Till.of(suite)
        stage.stop_all_but(suite, "programs-serve", "postgres")
        return till.compare(pace, "POST …/transactions, programs alone", till.pay_at_the_service, reach=0.15)


def through_the_gateway(pace: Pace) -> list[Line]:
    """All processes of the suite on this machine; events are relayed and taken in meanwhile."""
    with stage.suite_running() as suite:
        till = Till.of(suite)
        return till.compare(pace, "POST …/transactions, through all", till.pay, reach=0.10)


@dataclass(frozen=True)
class Till:
    """Each way of writing purchases returns how many there were in a second; each begins with an empty outbox.

    ``texts``: what the service writes of a purchase into its text columns.
    """

    suite: Suite
    merchant: Merchant
    texts: Mapping[str, str]
    runs: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(cls, suite: Suite) -> Self:
        merchant = stage.merchant_of(suite)
        with _held(suite, "programs-relay"), stage.database(suite, "programs") as programs:
            stage.credit(merchant, "sample")
            reply = programs.execute("select body, fingerprint from idempotency order by created_at desc").fetchone()
            event = programs.execute("select payload from outbox order by created_at desc").fetchone()
        assert reply is not None
        assert event is not None
        return cls(suite, merchant, {"body": reply[0], "fingerprint": reply[1], "payload": event[0]})

    def compare(self, pace: Pace, measured: str, run: Run, *, reach: float) -> list[Line]:
        """Twice: with commits that wait for this machine's disk, as they do in production, and with commits that do
        not, where nothing slows PostgreSQL down but the work itself: the harder limit, and the same on any disk."""
        limit = Limit("pgbench", self.write_rows, reach)
        durable = pace.compare(f"{measured}, durable", run, limit)
        stage.configure_postgres(self.suite, "synchronous_commit", "off")
        return durable + pace.compare(f"{measured}, without the disk", run, limit)

    def pay_at_the_service(self, seconds: float) -> float:
        of = {"tenant_id": self.merchant.tenant_id, "organization_id": self.merchant.organization_id}
        token = stage.identity(self.suite, "programs", **of, scope="programs:write")
        return self._pay(self.suite.layout.addresses.url("programs-serve"), "/v1", f"Bearer {token}", seconds)

    def pay(self, seconds: float) -> float:
        base = self.suite.base_url.removesuffix("/api/v1")
        return self._pay(base, "/api/v1", f"Bearer {self.merchant.api_key}", seconds)

    def write_rows(self, seconds: float) -> float:
        """By pgbench, on the same server. The relay leaves them alone, so that nothing else is at work."""
        url = self.suite.layout.database_urls["programs"]
        variables = {"tenant_id": self.merchant.tenant_id, "card_id": self.merchant.card_id, **self.texts}

        def run() -> Done:
            return tools.pgbench(url, "credit.pgbench", clients=_CLIENTS, seconds=seconds, variables=variables)

        with _held(self.suite, "programs-relay"):
            rate = self._checked(run)
            self._empty_outbox()
        return rate

    def _pay(self, base: str, prefix: str, authorization: str, seconds: float) -> float:
        environment = {
            "AUTHORIZATION": authorization,
            "CREDIT_PATH": f"{prefix}/loyalty-cards/{self.merchant.card_id}/transactions",
            "RUN": f"run{next(self.runs)}",
        }

        def run() -> Done:
            return tools.wrk(base, "credit.lua", connections=_CLIENTS, seconds=seconds, environment=environment)

        rate = self._checked(run)
        self._settle()
        return rate

    def _checked(self, run: Callable[[], Done]) -> float:
        """The rate, if the ledger has grown by as much."""
        with stage.database(self.suite, "programs") as programs:
            before = stage.count(programs, "select count(*) from points_transactions")
            done = run()
            written = stage.count(programs, "select count(*) from points_transactions") - before
        if written < done.count:
            raise NotMeasured(f"of {done.count} purchases only {written} were written")
        return done.rate

    def _settle(self) -> None:
        """Until the events of the last run are out of the way, or by throwing them away where nobody fetches them."""
        if self.suite.processes["programs-relay"].pid is None:
            self._empty_outbox()
            return
        with stage.database(self.suite, "programs") as programs, stage.database(self.suite, "webhooks") as webhooks:
            stage.wait_until(
                lambda: (
                    not stage.count(programs, "select count(*) from outbox")
                    and not stage.count(webhooks, "select count(*) from delivery_queue")
                ),
                what="the events of a run are delivered",
                every_s=0.1,
            )

    def _empty_outbox(self) -> None:
        with stage.database(self.suite, "programs") as programs:
            programs.execute("truncate outbox")


@contextmanager
def _held(suite: Suite, name: str) -> Iterator[None]:
    """A process that is stopped in its tracks, if it runs at all."""
    pid = suite.processes[name].pid
    if pid is not None:
        os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if pid is not None:
            os.killpg(pid, signal.SIGCONT)
