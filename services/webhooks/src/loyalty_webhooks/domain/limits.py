"""Who gets how many of the places: lanes, hosts, organizations and kinds of work each have their limit. Pure.

A place is a thread of a sender, and every limit but the lane's own is there because threads are few: what is slow,
fails or is unknown must not hold so many that first attempts to endpoints which answer have to wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from loyalty_webhooks.domain.health import Health, Pace

# Between two looks for work a lane with a rate saves up as much as it may send in this time, and no more.
_SAVED_S = 0.05


class Slot(StrEnum):
    """Kinds of work in a sender's pool: first attempts to lanes that answer, to unknown ones, and everything else."""

    SWIFT = "swift"
    FRESH = "fresh"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Pool:
    """A sender's threads and what each kind of work holds of them.

    Fresh lanes get at most a quarter and the rest another, so that half is always left for swift work. ``ahead``: so
    many more are claimed than there are threads, so that none of these waits for the next claim.
    """

    threads: int
    busy: Mapping[Slot, int]
    ahead: int = 0

    @property
    def idle(self) -> int:
        return self.threads + self.ahead - sum(self.busy.values())

    @property
    def is_busy(self) -> bool:
        """Every thread has work."""
        return self.idle <= self.ahead

    def room(self, slot: Slot) -> int:
        return self.idle if slot is Slot.SWIFT else min(self.idle, parts_of(self.threads).quarter - self.busy[slot])


@dataclass(frozen=True, slots=True)
class Parts:
    """Of so many threads: requests under way in all senders, together (``None``) or of one pace.

    ``host``: to one host for one organization; ``tenant``: for an organization whose hosts are many; ``fresh_lane``: to
    one endpoint until it has answered once, since several tarpits must not hold what is there for all fresh lanes.
    """

    quarter: int
    host: Mapping[Pace | None, int]
    tenant: Mapping[Pace | None, int]
    fresh_lane: int


@lru_cache(maxsize=8)
def parts_of(threads: int) -> Parts:
    quarter = max(threads // 4, 1)
    return Parts(
        quarter=quarter,
        host={None: max(threads * 3 // 4, 1), Pace.FRESH: max(quarter // 2, 4), Pace.SLOW: max(quarter // 4, 2)},
        tenant={None: max(threads * 7 // 8, 1), Pace.FRESH: max(quarter * 3 // 4, 4), Pace.SLOW: max(quarter // 2, 3)},
        fresh_lane=max(quarter // 8, 1),
    )


class LaneKey(NamedTuple):
    tenant_id: int
    endpoint_id: int


class Lane(NamedTuple):
    """An endpoint as a claim finds it. ``first`` and ``later``: ids of deliveries that are due, the oldest first.

    ``later`` are retries and whatever else gives way.
    """

    key: LaneKey
    url: str
    max_in_flight: int
    rate_limit_per_second: int | None
    next_send_at: datetime | None
    in_flight: int
    health: Health
    first: Sequence[int]
    later: Sequence[int]

    @property
    def host(self) -> str:
        return _host(self.url)

    def room(self, pool: Pool, *, now: datetime) -> int:
        if self.health.is_blocked(now):
            return 0
        limit = min(self.health.in_flight_limit, self.max_in_flight)
        if self.health.is_half_open:
            limit = 1
        elif self.health.pace is Pace.FRESH:
            limit = min(limit, parts_of(pool.threads).fresh_lane)
        room = limit - self.in_flight
        return room if self.rate_limit_per_second is None else min(room, self._tokens(self.rate_limit_per_second, now))

    def _tokens(self, rate: int, now: datetime) -> int:
        saved_s = (now - self._paid_up_to(now)).total_seconds()
        return 0 if saved_s < 0 else 1 + int(saved_s * rate)

    def _paid_up_to(self, now: datetime) -> datetime:
        earliest = now - timedelta(seconds=_SAVED_S)
        return max(self.next_send_at or earliest, earliest)

    def next_send_after(self, count: int, *, now: datetime) -> datetime:
        """When the lane may send again, once ``count`` were taken from it. Only for a lane with a rate."""
        return self._paid_up_to(now) + timedelta(seconds=count / (self.rate_limit_per_second or 1))


@lru_cache(maxsize=10_000)
def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


@dataclass(slots=True)
class _Room:
    """What a limit leaves."""

    left: int


@dataclass(slots=True)
class _Turn:
    """What a lane has of one kind, and all that must have room for one more of it."""

    lane: Lane
    slot: Slot
    deliveries: Iterator[int]
    rooms: Sequence[_Room]


def share_out(lanes: Sequence[Lane], pool: Pool, *, now: datetime, most: int) -> list[tuple[Lane, Slot, int]]:
    """Which deliveries go into which slots: one of each lane in turn, then the next, until no room or work is left.

    Never more than ``most``.

    ``lanes`` must be all with something due or under way of every tenant that occurs, those with something due in the
    order of their turns.
    """
    turns = list(_turns(lanes, pool, now=now, most=most))
    shared: list[tuple[Lane, Slot, int]] = []
    while turns:
        going_on = []
        for turn in turns:
            for room in turn.rooms:
                if room.left <= 0:
                    break
            else:
                delivery_id = next(turn.deliveries, None)
                if delivery_id is None:
                    continue
                for room in turn.rooms:
                    room.left -= 1
                shared.append((turn.lane, turn.slot, delivery_id))
                going_on.append(turn)
        turns = going_on
    return shared


def _turns(lanes: Sequence[Lane], pool: Pool, *, now: datetime, most: int) -> Iterator[_Turn]:
    idle = _Room(min(pool.idle, most))
    slots = {slot: _Room(pool.room(slot)) for slot in Slot}
    shared = _SharedRooms(parts_of(pool.threads))
    for lane in lanes:
        rooms = shared.of(lane)
        for room in rooms:
            room.left -= lane.in_flight
        if lane.first or lane.later:
            own = _Room(lane.room(pool, now=now))
            for slot, deliveries in ((_SWIFTEST[lane.health.pace], lane.first), (Slot.REST, lane.later)):
                if deliveries:
                    yield _Turn(lane, slot, iter(deliveries), [idle, own, slots[slot], *rooms])


class _SharedRooms:
    """Of hosts and of organizations: what their lanes may have under way together, and those of one pace."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rooms: dict[tuple[int, str, Pace | None], _Room] = {}

    def of(self, lane: Lane) -> list[_Room]:
        """All that a request to this lane counts for."""
        paces = (None,) if lane.health.pace is Pace.FAST else (None, lane.health.pace)
        return [
            self._room(lane.key.tenant_id, host, pace, limit[pace])
            for host, limit in ((lane.host, self._parts.host), (_ANY_HOST, self._parts.tenant))
            for pace in paces
        ]

    def _room(self, tenant_id: int, host: str, pace: Pace | None, most: int) -> _Room:
        key = tenant_id, host, pace
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = _Room(most)
        return room


_SWIFTEST = {Pace.FAST: Slot.SWIFT, Pace.FRESH: Slot.FRESH, Pace.SLOW: Slot.REST}
_ANY_HOST = ""
