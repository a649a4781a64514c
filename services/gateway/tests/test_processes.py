"""What each process loads."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["loyalty_gateway.app", "loyalty_gateway.commands", "loyalty_gateway.api.worker"])
def test_only_the_relay_loads_a_brokers_client(module):
    assert "pika" not in loaded_with(module)


def test_gunicorns_own_process_loads_no_database_driver():
    """It loads the worker class before it forks, and so before gevent patches anything."""
    assert "psycopg" not in loaded_with("loyalty_gateway.api.worker")


def loaded_with(module):
    listing = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()
