"""How gateway processes hear that what they know of a caller is no longer so."""

import threading
import time

import pytest
from sqlalchemy import text

from loyalty_gateway.domain import revocations
from loyalty_gateway.domain.revocations import Listener

LISTENING = "pid from pg_stat_activity where application_name = 'a gateway'"


class Heard:
    """A cache that notes what it is told."""

    def __init__(self):
        self.said = []
        self.is_told = False
        self._news = threading.Condition()

    def forget_key(self, kid):
        self._note(kid)

    def forget_organization(self, organization_id):
        self._note(organization_id)

    def told(self, is_told):
        self.is_told = is_told
        self._note(is_told)

    def _note(self, what):
        with self._news:
            self.said.append(what)
            self._news.notify_all()

    def until(self, *expected):
        with self._news:
            assert self._news.wait_for(lambda: self.said[: len(expected)] == list(expected), 20), self.said
            del self.said[: len(expected)]


@pytest.fixture(scope="module")
def listening(accounts_url):
    heard = Heard()
    listener = Listener(accounts_url, heard, application_name="a gateway")
    listener.start()
    yield heard
    listener.stop()


@pytest.fixture
def heard(listening):
    """Once it is listening; told nothing yet."""
    deadline = time.monotonic() + 20
    while not listening.is_told:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    listening.said.clear()
    return listening


def test_what_is_committed_is_heard_in_its_order(heard, engine):
    with engine.begin() as connection:
        revocations.announce_key(connection, "till1")
        revocations.announce_organization(connection, 7)
    with engine.begin() as connection:
        revocations.announce_key(connection, "till2")
    heard.until("till1", 7, "till2")


def test_what_is_rolled_back_was_never_said(heard, engine):
    with engine.connect() as connection:
        revocations.announce_key(connection, "never")
        connection.rollback()
    with engine.begin() as connection:
        revocations.announce_key(connection, "till1")
    heard.until("till1")


def test_a_lost_connection_is_known_at_once_and_mended(heard, engine):
    with engine.begin() as connection:
        (pid,) = connection.execute(text(f"select {LISTENING}")).scalars()
        connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
    heard.until(False, True)
    with engine.begin() as connection:
        revocations.announce_key(connection, "till1")
    heard.until("till1")


def test_what_makes_no_sense_is_a_channel_that_cannot_be_believed(heard, engine):
    with engine.begin() as connection:
        connection.execute(text(f"notify {revocations.CHANNEL}, 'organization:riverside'"))
    heard.until(False, True)


def test_every_change_of_a_key_or_an_organization_is_announced(heard, engine, new_key, new_organization, change):
    organization = new_organization()
    heard.until(organization["id"])
    key = new_key(organization_id=organization["id"])
    heard.until(key["key"][9:19])
