"""When a key was last used."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from loyalty_gateway.domain.last_use import LastUse

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def last_use(engine, clock):
    return LastUse(engine, clock=clock)


@pytest.fixture
def kept(engine):
    def read(key):
        with engine.connect() as connection:
            return connection.execute(
                text("select last_used_at, xmin::text from api_keys where id = :id"), {"id": key["id"]}
            ).one()

    return read


def test_a_use_is_written_behind(last_use, new_key, kept):
    key, idle = new_key(), new_key()
    last_use.note(key["id"], at=NOON)
    assert kept(key).last_used_at is None
    last_use.write()
    assert kept(key).last_used_at == NOON
    assert kept(idle).last_used_at is None


def test_it_is_written_once_a_minute_at_most(last_use, new_key, kept, clock):
    key = new_key()
    for second in range(0, 125, 5):
        clock.now = 100 + second
        last_use.note(key["id"], at=NOON + timedelta(seconds=second))
        last_use.write()
    assert kept(key).last_used_at == NOON + timedelta(minutes=2)


def test_it_never_goes_back_and_another_process_makes_it_no_more_often(engine, new_key, kept):
    key = new_key()
    for at in (NOON, NOON - timedelta(hours=1), NOON + timedelta(seconds=59)):
        process = LastUse(engine)
        process.note(key["id"], at=at)
        before = kept(key)
        process.write()
        assert before.last_used_at is None or kept(key) == before
    assert kept(key).last_used_at == NOON


def test_nobody_waits_for_a_key_that_is_being_changed(engine, last_use, new_key, kept):
    locked, free = new_key(), new_key()
    for key in (locked, free):
        last_use.note(key["id"], at=NOON)
    with engine.connect() as connection:
        connection.execute(text("select 1 from api_keys where id = :id for update"), {"id": locked["id"]})
        last_use.write()
        assert kept(free).last_used_at == NOON
    assert kept(locked).last_used_at is None


def test_processes_that_write_at_once_do_not_stop_each_other(engine, new_key, kept):
    keys = [new_key() for _ in range(20)]

    def work(process_number):
        process = LastUse(engine)
        for key in keys if process_number % 2 else reversed(keys):
            process.note(key["id"], at=NOON)
        process.write()

    with ThreadPoolExecutor(8) as processes:
        list(processes.map(work, range(8)))
    assert {kept(key).last_used_at for key in keys} == {NOON}
