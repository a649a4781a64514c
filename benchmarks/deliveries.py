"""Events from the outbox of programs to a fast receiver, beside a loop that does nothing but post them."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

import urllib3

from benchmarks import stage, tools
from benchmarks.pace import Limit, Line, NotMeasured, Pace
from loyalty_local.suite import Suite
from loyalty_testing.machine import free_port
from loyalty_webhooks.domain.signing import delivery_headers

# So that a run takes about as long as those of other rows.
_EVENTS_PER_S = 500

_FILL = """
    insert into outbox (id, tenant_id, event, payload, created_at)
    select gen_random_uuid(), tenant_id, event, data, now()
      from (values (%s, %s, %s)) as sample (tenant_id, event, data), generate_series(1, %s)
"""
_SAMPLE = "select tenant_id, event, payload, cast(payload as json) ->> 'data' from webhook_events limit 1"
_DONE = """
    select (select last_sequence from event_sequences where tenant_id = %s) >= %s
       and not exists (select from delivery_queue)
"""


def to_one_receiver(pace: Pace) -> list[Line]:
    """All processes of the suite on this machine; the receiver is nginx."""
    port = free_port()
    answers = "location = /readyz { return 200; } location / { return 204; }"
    with tools.nginx(port, f"server {{ listen 127.0.0.1:{port}; {answers} }}"), stage.suite_running() as suite:
        backlog = Backlog.at(suite, f"http://127.0.0.1:{port}/hook")
        limit = Limit("urllib3 loop", backlog.post, reach=0.2)
        return pace.compare("events from outbox to delivered", backlog.deliver, limit)


@dataclass(frozen=True)
class Backlog:
    """One event over and over: ``payload`` as it is delivered, ``data`` as it stands in the outbox."""

    suite: Suite
    url: str
    tenant_id: int
    event: str
    payload: str
    data: str

    @classmethod
    def at(cls, suite: Suite, url: str) -> Backlog:
        merchant = stage.merchant_of(suite)
        stage.subscribe(merchant, url)
        stage.credit(merchant, "sample")
        with stage.database(suite, "webhooks") as webhooks:
            stage.wait_until(lambda: _succeeded(webhooks) > 0, what="the first event is delivered")
            sample = webhooks.execute(_SAMPLE).fetchone()
        assert sample is not None
        return cls(suite, url, *sample)

    def deliver(self, seconds: float) -> float:
        """From the commit that fills the outbox to the one that notes the last delivery as succeeded."""
        events = int(seconds * _EVENTS_PER_S)
        with stage.database(self.suite, "programs") as programs, stage.database(self.suite, "webhooks") as webhooks:
            before = _succeeded(webhooks)
            last = stage.count(webhooks, "select max(last_sequence) from event_sequences") + events
            programs.execute(_FILL, [self.tenant_id, self.event, self.data, events])
            committed_at = time.perf_counter()
            stage.wait_until(
                lambda: webhooks.execute(_DONE, [self.tenant_id, last]).fetchone() == (True,),
                what=f"{events} events are delivered",
                every_s=0.01,
            )
            took_s = time.perf_counter() - committed_at
            if _succeeded(webhooks) != before + events:
                raise NotMeasured("not every delivery succeeded")
        return events / took_s

    def post(self, seconds: float) -> float:
        """The same bytes to the same receiver over one connection that is kept."""
        body = self.payload.encode()
        headers = delivery_headers(
            signing_secrets=["whsec_AAAA"],
            event=self.event,
            event_id=str(uuid.uuid4()),
            delivery_id=1,
            attempt=1,
            timestamp=int(time.time()),
            body=body,
        )
        parts = urllib3.util.parse_url(self.url)
        with urllib3.HTTPConnectionPool(parts.host or "", parts.port, maxsize=1, retries=False) as pool:
            started_at, posted = time.perf_counter(), 0
            while time.perf_counter() - started_at < seconds:
                pool.urlopen("POST", parts.path or "/", body=body, headers=headers)
                posted += 1
            return posted / (time.perf_counter() - started_at)


def _succeeded(webhooks: stage.Connection) -> int:
    return stage.count(webhooks, "select count(*) from webhook_deliveries where status = 'succeeded'")
