"""What is left to deliver, asked of the queue at each scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric
from sqlalchemy import Engine, text

from loyalty_common.metrics import Asked, gauge

# What waits for an endpoint that is paused or left alone is nobody's fault here: it is not due.
LEFT = text("""
    with queued as (
        select queue.claim_id, queue.lease_until, queue.next_attempt_at,
               coalesce(endpoint.is_active, false) and coalesce(lane.blocked_until <= now(), true) as is_open
          from delivery_queue queue
          left join webhook_endpoints endpoint
            on endpoint.tenant_id = queue.tenant_id and endpoint.id = queue.endpoint_id
          left join lanes lane on lane.tenant_id = queue.tenant_id and lane.endpoint_id = queue.endpoint_id
    )
    select count(*) filter (where claim_id is null and next_attempt_at <= now() and is_open) as due,
           count(*) filter (where claim_id is null and not is_open) as held,
           count(*) filter (where lease_until > now()) as in_flight,
           coalesce(greatest(extract(epoch from
               now() - min(next_attempt_at) filter (where claim_id is null and is_open)), 0), 0) as overdue_s,
           (select count(*) from lanes where blocked_until > now()) as blocked
      from queued
""")
# Read from end to end, unlike what else a sender asks (domain/plans.py); and given up after a while, for a backlog of
# millions must not be counted beside the claims that shrink it.
AS_A_WHOLE = text("""
    select set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
           set_config('statement_timeout', '3s', true)
""")


def delivery_figures(engine: Engine) -> Asked:
    """Every sender shows the same figures: take their maximum, not their sum."""

    def ask() -> Iterator[Metric]:
        with engine.begin() as connection:
            connection.execute(AS_A_WHOLE)
            row = connection.execute(LEFT).one()
        yield gauge("loyalty_webhook_deliveries_due", "Deliveries that may be attempted now.", row.due)
        yield gauge("loyalty_webhook_deliveries_held", "Those of endpoints that are paused or left alone.", row.held)
        yield gauge("loyalty_webhook_deliveries_in_flight", "Deliveries leased to a sender.", row.in_flight)
        yield gauge("loyalty_webhook_oldest_due_seconds", "How long the oldest has been due.", float(row.overdue_s))
        yield gauge("loyalty_webhook_lanes_blocked", "Endpoints that are left alone for a while.", row.blocked)

    return Asked(ask)
