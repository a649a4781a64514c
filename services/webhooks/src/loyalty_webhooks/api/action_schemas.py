"""What is sent and answered when a secret is rotated, and an endpoint's statistics."""

from __future__ import annotations

from datetime import datetime

import marshmallow as ma

from loyalty_common import fields
from loyalty_webhooks.domain.rotating import MAX_OVERLAP_HOURS
from loyalty_webhooks.domain.statistics import INTERVALS


class RotationFields(fields.Schema):
    may_be_absent = True
    overlap_hours = fields.Integer(
        minimum=0,
        maximum=MAX_OVERLAP_HOURS,
        load_default=24,
        metadata={"description": "For how long the old secret still signs beside the new one.", "examples": [24]},
    )


def _is_of_our_time(moment: datetime) -> None:
    # Far from the ends of the calendar, where a day before or after is no moment any more.
    if not 2000 <= moment.year < 3000:
        raise ma.ValidationError("The :field field must lie between the years 2000 and 2999.")


class StatisticsQuery(fields.Schema):
    from_at = fields.Timestamp(
        data_key="from", validate=_is_of_our_time, metadata={"description": "A day before to, if left out."}
    )
    to_at = fields.Timestamp(
        data_key="to", validate=_is_of_our_time, metadata={"description": "Not included; now, if left out."}
    )
    interval = fields.Choice(*INTERVALS, load_default="hour")


class StatisticsTotals(ma.Schema):
    deliveries = ma.fields.Integer(required=True, metadata={"examples": [1200]})
    succeeded = ma.fields.Integer(required=True, metadata={"examples": [1190]})
    exhausted = ma.fields.Integer(required=True, metadata={"examples": [0]})
    attempts = ma.fields.Integer(required=True, metadata={"examples": [1260]})
    failed_attempts = ma.fields.Integer(required=True, metadata={"examples": [70]})
    success_rate = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"examples": ["0.9917"], "description": "succeeded of deliveries; null where there were none."},
    )
    latency_p50_ms = ma.fields.Integer(required=True, allow_none=True, metadata={"examples": [80]})
    latency_p95_ms = ma.fields.Integer(required=True, allow_none=True, metadata={"examples": [240]})
    latency_p99_ms = ma.fields.Integer(required=True, allow_none=True, metadata={"examples": [900]})


class StatisticsBucket(ma.Schema):
    starts_at = ma.fields.DateTime(required=True)
    attempts = ma.fields.Integer(required=True, metadata={"examples": [52]})
    failed_attempts = ma.fields.Integer(required=True, metadata={"examples": [2]})
    succeeded = ma.fields.Integer(required=True, metadata={"examples": [50]})
    latency_p50_ms = ma.fields.Integer(required=True, allow_none=True, metadata={"examples": [81]})
    latency_p95_ms = ma.fields.Integer(required=True, allow_none=True, metadata={"examples": [230]})


class EndpointStatistics(ma.Schema):
    endpoint_id = ma.fields.Integer(required=True, metadata={"examples": [5]})
    from_at = ma.fields.DateTime(required=True, data_key="from")
    to_at = ma.fields.DateTime(required=True, data_key="to")
    interval = ma.fields.String(required=True, metadata={"enum": list(INTERVALS)})
    pending = ma.fields.Integer(required=True, metadata={"examples": [3]})
    in_flight = ma.fields.Integer(required=True, metadata={"examples": [1]})
    oldest_pending_at = ma.fields.DateTime(required=True, allow_none=True)
    totals = ma.fields.Nested(StatisticsTotals, required=True)
    buckets = ma.fields.List(ma.fields.Nested(StatisticsBucket), required=True)
