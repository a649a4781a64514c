"""Supervisors of tiny real programs, and the embedded PostgreSQL in a folder of its own."""

import sys
import time

import pytest

from loyalty_local.keys import Keys
from loyalty_local.leftovers import Record
from loyalty_local.postgres import Embedded
from loyalty_local.processes import Command, Supervisor


@pytest.fixture
def wait_until():
    """Looks again and again until the condition holds; fails after five minutes."""

    def wait(condition):
        deadline = time.monotonic() + 300
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)

    return wait


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    supervisor = Supervisor(logs=tmp_path, record=Record(tmp_path / "processes.json"), say=said.append)
    yield supervisor
    supervisor.close()


@pytest.fixture
def python():
    """A command that runs a few lines of Python."""
    return lambda name, program: Command(name, [sys.executable, "-IS", "-u", "-c", program])


@pytest.fixture
def embedded(tmp_path):
    """An installation's PostgreSQL, not yet set up."""
    embedded = Embedded.of(tmp_path, Keys.of(tmp_path / "keys.json"))
    yield embedded
    embedded.end_earlier()
    embedded.forget()
