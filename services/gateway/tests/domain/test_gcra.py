"""The rule of the limits, held against a bucket that is simply counted."""

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty_gateway.domain.gcra import Bucket, decide
from loyalty_gateway.domain.limits import LocalLimits, open_limits

rates = st.tuples(st.integers(1, 60_000), st.integers(1, 40))
# How long after the one before, and which of the three buckets it wants.
requests = st.tuples(
    st.integers(0, 5_000_000), st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True).map(sorted)
)


def buckets_of(limits):
    return [
        Bucket.of(f"b{number}", f"b{number}", per_minute=per_minute, burst=burst)
        for number, (per_minute, burst) in enumerate(limits)
    ]


class CountedBuckets:
    """The reference: each holds up to ``burst`` tokens and gains one per emission interval."""

    def __init__(self, buckets):
        self.buckets = buckets
        self.tokens = [Fraction(bucket.burst) for bucket in buckets]

    def pass_time(self, us):
        for number, bucket in enumerate(self.buckets):
            grown = self.tokens[number] + Fraction(us, bucket.emission_us)
            self.tokens[number] = min(grown, Fraction(bucket.burst))

    def take(self, wanted):
        """Allowed, remaining, and the microseconds to wait."""
        missing = [(1 - self.tokens[n]) * self.buckets[n].emission_us for n in wanted]
        if max(missing) > 0:
            return False, 0, max(missing)
        for number in wanted:
            self.tokens[number] -= 1
        tightest = min(wanted, key=lambda n: int(self.tokens[n]))
        bucket = self.buckets[tightest]
        full_in = (bucket.burst - self.tokens[tightest]) * bucket.emission_us
        return True, int(self.tokens[tightest]), full_in


@given(st.lists(rates, min_size=3, max_size=3), st.lists(requests, max_size=60))
def test_the_rule_grants_exactly_what_a_counted_bucket_grants(limits, traffic):
    buckets = buckets_of(limits)
    counted = CountedBuckets(buckets)
    now_us = 1_778_926_301_000_000
    local = LocalLimits(clock_us=lambda: now_us)
    for elapsed_us, wanted in traffic:
        now_us += elapsed_us
        counted.pass_time(elapsed_us)
        decision = local.take([buckets[number] for number in wanted])
        assert (decision.allowed, decision.remaining, decision.wait_us) == counted.take(wanted)


@settings(max_examples=40)
@given(limits=st.lists(st.integers(1, 12), min_size=3, max_size=3), traffic=st.lists(requests, max_size=25))
def test_redis_grants_what_a_counted_bucket_grants(redis_server, redis_client, limits, traffic):
    # One a minute: within a test nothing flows back, so Redis's own clock does not matter.
    buckets = buckets_of([(1, burst) for burst in limits])
    counted = CountedBuckets(buckets)
    shared = open_limits(redis_server.url, parts=1, redis_timeout_s=5)
    redis_client.flushall()
    for _, wanted in traffic:
        decision = shared.take([buckets[number] for number in wanted])
        allowed, remaining, wait_us = counted.take(wanted)
        assert (decision.allowed, decision.remaining) == (allowed, remaining)
        assert decision.wait_us == pytest.approx(float(wait_us), abs=5_000_000)
        assert decision.bucket in [buckets[number] for number in wanted]


def test_a_refused_request_takes_from_no_bucket():
    key, organization = buckets_of([(60, 1), (60, 10)])
    local = LocalLimits(clock_us=lambda: 0)
    assert local.take([key, organization]).allowed
    for _ in range(5):
        assert not local.take([key, organization]).allowed
    assert local.take([organization]).remaining == 8


@pytest.mark.parametrize("step_us", [-3_600_000_000, 0])
def test_a_clock_that_goes_back_or_a_lower_limit_locks_nobody_out_for_longer_than_one_request_takes(step_us):
    generous, strict = buckets_of([(60, 500), (60, 5)])
    arrivals = [0]
    now_us = 10_000_000_000
    for _ in range(500):
        _, arrivals = decide([generous], arrivals, now_us=now_us)
    now_us += step_us
    refused, arrivals = decide([strict], arrivals, now_us=now_us)
    assert not refused.allowed
    assert refused.wait_us <= strict.emission_us
    now_us += refused.wait_us
    assert decide([strict], arrivals, now_us=now_us)[0].allowed


def test_a_raised_rate_with_a_shorter_burst_is_had_at_once_in_redis(redis_server, redis_client):
    slow, fast = buckets_of([(60, 500), (6_000_000, 5)])
    fast = dataclasses.replace(fast, store_key=slow.store_key)
    shared = open_limits(redis_server.url, parts=1, redis_timeout_s=5)
    redis_client.flushall()
    for _ in range(500):
        assert shared.take([slow]).allowed
    assert any(shared.take([fast]).allowed for _ in range(10))


# An hour back, an hour on, or a little; and after it one of two limits, as if a plan had changed.
steps = st.tuples(st.sampled_from([-3_600_000_000, 3_600_000_000, 0, 1_000, 2_000_000]), rates)


@given(st.lists(steps, max_size=40), rates)
def test_whoever_waits_as_he_was_told_gets_in_whatever_happened_to_clock_and_limits(history, limit):
    arrivals = {}
    now_us = 1_778_926_301_000_000

    def take(per_minute, burst):
        buckets = [Bucket.of(name, name, per_minute=per_minute, burst=burst) for name in ("key", "organization")]
        decision, moved = decide(buckets, [arrivals.get(bucket.name, 0) for bucket in buckets], now_us=now_us)
        arrivals.update(zip(("key", "organization"), moved, strict=True))
        return decision

    for step_us, changed_limit in history:
        now_us += step_us
        take(*changed_limit)
    decision = take(*limit)
    if not decision.allowed:
        now_us += decision.wait_us
        assert take(*limit).allowed


def test_redis_forgives_what_lies_too_far_ahead_too(redis_server, redis_client):
    shared = open_limits(redis_server.url, parts=1, redis_timeout_s=5)
    seconds, microseconds = redis_client.time()
    quick, slow = buckets_of([(6_000, 3), (6, 3)])
    for bucket in (quick, slow):
        redis_client.set(bucket.store_key, (seconds + 3_600) * 1_000_000 + microseconds)
    refused = shared.take([quick, slow])
    assert (refused.allowed, refused.bucket) == (False, slow)
    assert refused.wait_us <= slow.emission_us
    for bucket in (quick, slow):
        ahead_us = int(redis_client.get(bucket.store_key)) - (seconds * 1_000_000 + microseconds)
        assert 3 * bucket.emission_us <= ahead_us < 3 * bucket.emission_us + 5_000_000
        assert redis_client.pttl(bucket.store_key) < 60_000
