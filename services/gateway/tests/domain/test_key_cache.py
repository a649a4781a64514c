"""What is remembered of keys, and for how long."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty_common.errors import Unavailable
from loyalty_gateway.domain.key_cache import KeyCache
from loyalty_gateway.domain.known_keys import KnownKey


class Database:
    """Counts look-ups; answers for every kid but ``nobody…``, once ``open`` is set."""

    def __init__(self):
        self.asked = []
        self.open = threading.Event()
        self.open.set()
        self.is_away = False

    def find(self, kid):
        self.asked.append(kid)
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
