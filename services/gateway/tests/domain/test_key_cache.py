"""What is remembered of keys, and for how long."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty_common.errors import Unavailable
from loyalty_gateway.domain.key_cache import KeyCache
from loyalty_gateway.domain.known_keys import KnownKey


class Database:
    """Counts look-ups; answers for every kid but ``nobody…``, once ``open`` is set, and the first once ``first`` is."""

    def __init__(self):
        self.asked = []
        self.open, self.first = threading.Event(), threading.Event()
        self.open.set()
        self.first.set()
        self.is_away = False

    def find(self, kid):
        self.asked.append(kid)
        assert len(self.asked) > 1 or self.first.wait(10)
        assert self.open.wait(10)
        if self.is_away:
            raise Unavailable
        if kid.startswith("nobody"):
            return None
        return KnownKey(len(self.asked), kid, b"", 1, frozenset(), None, None, 1, {"id": 1}, False, "demo", True, ())


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(database, clock):
    cache = KeyCache(database.find, clock=clock, capacity=3)
    cache.told(True)
    return cache


def test_a_known_key_is_looked_up_again_after_five_seconds(cache, database, clock):
    first = cache.get("till1")
    clock.now += 4.99
    assert cache.get("till1") is first
    clock.now += 0.02
    assert cache.get("till1") is not first
    assert len(database.asked) == 2


def test_an_unknown_key_is_looked_up_again_after_two_seconds(cache, database, clock):
    assert cache.get("nobody") is None
    clock.now += 1.99
    assert cache.get("nobody") is None
    assert len(database.asked) == 1
    clock.now += 0.02
    assert cache.get("nobody") is None
    assert len(database.asked) == 2


def test_a_herd_asks_once(cache, database):
    database.open.clear()
    with ThreadPoolExecutor(50) as herd:
        answers = [herd.submit(cache.get, "till1") for _ in range(50)]
        database.open.set()
        found = {answer.result().id for answer in answers}
    assert found == {1}
    assert database.asked == ["till1"]


def test_those_who_waited_hear_that_the_look_up_failed_and_it_is_not_kept(cache, database):
    database.open.clear()
    database.is_away = True
    with ThreadPoolExecutor(10) as herd:
        answers = [herd.submit(cache.get, "till1") for _ in range(10)]
        database.open.set()
        assert all(isinstance(answer.exception(), Unavailable) for answer in answers)
    database.is_away = False
    assert cache.get("till1") is not None


def test_a_known_key_outlives_the_database_until_its_time_is_up(cache, database, clock):
    cache.get("till1")
    database.is_away = True
    clock.now += 4.99
    assert cache.get("till1") is not None
    clock.now += 0.02
    with pytest.raises(Unavailable):
        cache.get("till1")


def test_a_flood_of_invented_keys_pushes_out_no_real_one(cache, database):
    cache.get("till1")
    for number in range(10):
        cache.get(f"nobody{number}")
    database.asked.clear()
    cache.get("till1")
    assert database.asked == []


def test_the_oldest_goes_where_there_is_no_room(cache, database):
    for number in range(4):
        cache.get(f"till{number}")
    database.asked.clear()
    cache.get("till3")
    assert database.asked == []
    cache.get("till0")
    assert database.asked == ["till0"]


def test_what_is_told_counts_at_once(cache, database):
    till1, till2 = cache.get("till1"), cache.get("till2")
    cache.forget_key("till1")
    assert cache.get("till1") is not till1
    assert cache.get("till2") is till2
    assert database.asked == ["till1", "till2", "till1"]


def test_a_key_that_was_nobodys_is_there_as_soon_as_it_is_told(cache, database):
    cache.get("nobody")
    cache.forget_key("nobody")
    cache.get("nobody")
    assert database.asked == ["nobody", "nobody"]


def test_an_organization_is_told_for_all_of_its_keys(cache, database):
    till1 = cache.get("till1")
    cache.forget_organization(2)
    assert cache.get("till1") is till1
    cache.forget_organization(1)
    assert cache.get("till1") is not till1


@pytest.mark.parametrize("tell", [lambda cache: cache.forget_key("till1"), lambda cache: cache.forget_organization(1)])
def test_a_look_up_that_was_overtaken_is_not_kept_and_nobody_joins_it(cache, database, tell):
    """The database has answered, the answer is on its way, and meanwhile the key is revoked."""
    database.first.clear()
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(cache.get, "till1")
        until_asked(database, 1)
        tell(cache)
        late = threads.submit(cache.get, "till1").result()
        assert len(database.asked) == 2
        database.first.set()
        assert early.result() is not late
    # What the late one got was asked for after the change, and is kept; the early one's came to nothing.
    assert cache.get("till1") is late
    assert len(database.asked) == 2


def until_asked(database, times):
    deadline = time.monotonic() + 10
    while len(database.asked) < times:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_as_long_as_nobody_would_tell_nothing_is_kept_for_longer_than_a_second(cache, database, clock):
    cache.told(False)
    for kid in ("till1", "nobody"):
        database.asked.clear()
        cache.get(kid)
        clock.now += 0.99
        cache.get(kid)
        assert len(database.asked) == 1
        clock.now += 0.02
        cache.get(kid)
        assert len(database.asked) == 2


def test_what_was_known_when_the_telling_stopped_lasts_a_second_more(cache, database, clock):
    cache.get("till1")
    clock.now += 1
    cache.told(False)
    database.is_away = True
    clock.now += 0.99
    assert cache.get("till1") is not None
    clock.now += 0.02
    with pytest.raises(Unavailable):
        cache.get("till1")


def test_what_was_read_before_the_telling_began_again_gets_no_longer_life(cache, database, clock):
    cache.told(False)
    cache.get("till1")
    cache.told(True)
    clock.now += 1.01
    cache.get("till1")
    assert len(database.asked) == 2
    clock.now += 4.9
    cache.get("till1")
    assert len(database.asked) == 2


def test_ten_thousand_cold_keys_cost_one_look_up_each(database):
    """Sixteen callers, each with all of the keys in an order of its own."""
    cache = KeyCache(database.find)
    kids = [f"till{number}" for number in range(10_000)]

    def work(seed):
        for kid in random.Random(seed).sample(kids, len(kids)):
            cache.get(kid)

    cache.told(True)
    with ThreadPoolExecutor(16) as callers:
        list(callers.map(work, range(16)))
    assert sorted(database.asked) == sorted(kids)
