"""How places are shared out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_webhooks.domain.health import Health, Pace
from loyalty_webhooks.domain.limits import Lane, LaneKey, Pool, Slot, parts_of, share_out

NOW = datetime(2026, 5, 16, 12, 0, tzinfo=UTC)
HEALTH = {
    Pace.FAST: Health(in_flight_limit=32, is_proven=True),
    Pace.FRESH: Health(),
    Pace.SLOW: Health(is_proven=True, slowness=4),
}
_ids = count(1)


def lane(
    first: int = 0,
    later: int = 0,
    *,
    pace: Pace = Pace.FAST,
    health: Health | None = None,
    tenant: int = 1,
    host: str = "a",
    in_flight: int = 0,
    most: int = 32,
    rate: int | None = None,
    next_send_at: datetime | None = None,
) -> Lane:
    return Lane(
        key=LaneKey(tenant, next(_ids)),
        url=f"https://{host}.example/hook",
        max_in_flight=most,
        rate_limit_per_second=rate,
        next_send_at=next_send_at,
        in_flight=in_flight,
        health=health or HEALTH[pace],
        first=[next(_ids) for _ in range(first)],
        later=[next(_ids) for _ in range(later)],
    )


def shares(*lanes: Lane, threads: int = 64, most: int = 1_000, **busy: int) -> list[int]:
    """How much each lane gets."""
    pool = Pool(threads, Counter({Slot(slot): held for slot, held in busy.items()}))
    got = Counter(given.key for given, _, _ in share_out(lanes, pool, now=NOW, most=most))
    return [got[one.key] for one in lanes]


def test_lanes_take_turns_until_there_is_no_room() -> None:
    lanes = [lane(40, host=name) for name in "abc"]
    assert shares(*lanes, swift=64 - 7) == [3, 2, 2]
    assert shares(*lanes, most=5) == [2, 2, 1]


def test_what_one_lane_does_not_need_others_get() -> None:
    assert shares(lane(40, host="a"), lane(1, host="b"), swift=64 - 20) == [19, 1]


@pytest.mark.parametrize(("pace", "places"), [(Pace.FAST, 32), (Pace.FRESH, 2), (Pace.SLOW, 4)])
def test_a_lane_gets_what_its_health_allows(pace: Pace, places: int) -> None:
    assert shares(lane(50, pace=pace)) == [places]
    assert shares(lane(50, pace=pace, in_flight=1)) == [places - 1]
    assert shares(lane(50, pace=pace, most=1)) == [1]


def test_a_blocked_lane_gets_nothing_and_then_one_probe() -> None:
    blocked = Health(failures=5, times_opened=1, blocked_until=NOW + timedelta(seconds=1))
    half_open = Health(failures=5, times_opened=1, blocked_until=NOW)
    assert shares(lane(5, 5, health=blocked)) == [0]
    assert shares(lane(5, 5, health=half_open)) == [1]
    assert shares(lane(5, 5, health=half_open, in_flight=1)) == [0]


@pytest.mark.parametrize(("pace", "together"), [(Pace.FAST, 48), (Pace.FRESH, 8), (Pace.SLOW, 4)])
def test_endpoints_on_one_host_share_its_places(pace: Pace, together: int) -> None:
    assert sum(shares(*(lane(4, pace=pace) for _ in range(200)))) == together
    busy = [lane(pace=pace, in_flight=1) for _ in range(3)]
    assert sum(shares(*(lane(4, pace=pace) for _ in range(200)), *busy)) == together - 3


@pytest.mark.parametrize(("pace", "together"), [(Pace.FAST, 56), (Pace.FRESH, 12), (Pace.SLOW, 8)])
def test_an_organization_with_many_hosts_leaves_places_to_others(pace: Pace, together: int) -> None:
    theirs = [lane(4, pace=pace, host=f"a{number}") for number in range(200)]
    ours = lane(4, pace=pace, tenant=2)
    assert sum(shares(*theirs)) == together
    assert shares(*theirs, ours)[-1] >= 2


def test_a_host_is_another_one_for_another_organization() -> None:
    theirs = [lane(4, pace=Pace.FRESH) for _ in range(200)]
    assert shares(*theirs, lane(4, pace=Pace.FRESH, tenant=2))[-1] == 2


def test_what_is_slow_or_fresh_leaves_half_of_the_pool_to_first_attempts_of_lanes_that_answer() -> None:
    slow = [lane(4, pace=Pace.SLOW, tenant=number) for number in range(2, 50)]
    fresh = [lane(4, pace=Pace.FRESH, tenant=number) for number in range(50, 100)]
    retries = [lane(0, 4, tenant=number) for number in range(100, 150)]
    fast = [lane(4, tenant=number) for number in range(150, 170)]
    pool = Pool(64, Counter())
    given = Counter(slot for _, slot, _ in share_out([*slow, *fresh, *retries, *fast], pool, now=NOW, most=64))
    assert given == {Slot.REST: 16, Slot.FRESH: 16, Slot.SWIFT: 32}
    assert sum(shares(*slow, *fresh, *retries, rest=16, fresh=16)) == 0
    assert sum(shares(*fast, rest=16, fresh=16)) == 32


def test_what_is_swift_is_claimed_ahead_of_its_threads_and_nothing_else() -> None:
    pool = Pool(8, Counter(), ahead=8)
    fast = [lane(8, tenant=number) for number in range(2, 10)]
    others = [lane(8, pace=pace, tenant=number) for number in range(10, 20) for pace in (Pace.SLOW, Pace.FRESH)]
    given = Counter(slot for _, slot, _ in share_out([*others, *fast], pool, now=NOW, most=64))
    assert given == {Slot.REST: 2, Slot.FRESH: 2, Slot.SWIFT: 12}
    assert [Pool(8, Counter({Slot.SWIFT: held}), ahead=8).is_busy for held in (7, 8, 16)] == [False, True, True]


@pytest.mark.parametrize(
    ("ago_s", "places"), [(None, 6), (60, 6), (0.05, 6), (0.02, 3), (0.0, 1), (-0.001, 0), (-5, 0)]
)
def test_a_rate_saves_up_little(ago_s: float | None, places: int) -> None:
    next_send_at = None if ago_s is None else NOW - timedelta(seconds=ago_s)
    assert shares(lane(50, rate=100, next_send_at=next_send_at)) == [places]


@given(rate=st.integers(1, 1_000), pauses_ms=st.lists(st.integers(1, 700), min_size=1, max_size=60))
def test_a_rate_is_kept_in_every_second(rate: int, pauses_ms: list[int]) -> None:
    at, next_send_at, sent = NOW, None, []
    for pause_ms in pauses_ms:
        one = lane(2_000, rate=rate, next_send_at=next_send_at, health=Health(in_flight_limit=10_000), most=10_000)
        taken = max(one.room(Pool(64_000, Counter()), now=at), 0)
        if taken:
            next_send_at = one.next_send_after(taken, now=at)
        sent.append((at, taken))
        at += timedelta(milliseconds=pause_ms)
    for begin, _ in sent:
        within = sum(taken for moment, taken in sent if begin <= moment < begin + timedelta(seconds=1))
        assert within <= rate * 1.05 + 1


LANES = st.builds(
    lane,
    st.integers(0, 5),
    st.integers(0, 5),
    pace=st.sampled_from(Pace),
    tenant=st.integers(1, 3),
    host=st.sampled_from("ab"),
    in_flight=st.integers(0, 5),
    most=st.integers(1, 32),
)


@given(st.lists(LANES, max_size=30), st.integers(1, 128), st.integers(0, 40), st.integers(0, 40))
def test_no_limit_is_ever_overshot(lanes: list[Lane], threads: int, fresh: int, rest: int) -> None:
    pool = Pool(threads, Counter({Slot.FRESH: fresh, Slot.REST: rest}))
    given = share_out(lanes, pool, now=NOW, most=64)
    assert len(given) <= min(max(pool.idle, 0), 64)
    assert len({delivery_id for _, _, delivery_id in given}) == len(given)
    for slot, taken in Counter(slot for _, slot, _ in given).items():
        assert taken <= pool.room(slot)
    for one, taken in Counter(given_lane.key for given_lane, _, _ in given).items():
        (its,) = [lane for lane in lanes if lane.key == one]
        assert taken <= its.room(pool, now=NOW)
    for tenant in {one.key.tenant_id for one in lanes}:
        held = sum(one.in_flight for one in lanes if one.key.tenant_id == tenant)
        taken = sum(one.key.tenant_id == tenant for one, _, _ in given)
        assert taken == 0 or held + taken <= parts_of(threads).tenant[None]
