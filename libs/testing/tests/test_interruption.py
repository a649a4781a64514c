"""A test run that ends badly leaves no server behind."""

import os
import shutil
import signal
import subprocess
import sys
import time

import psycopg
import pytest

pytestmark = pytest.mark.skipif("TEST_POSTGRES_URL" in os.environ, reason="the server is not ours to stop")

HANGING = """
import pathlib, time

def test_hangs(postgres, redis_server):
    folders = [str(server.runner.folder) for server in (postgres, redis_server)]
    pathlib.Path("left.txt").write_text(" ".join([postgres.url, *folders]))
    time.sleep(60)
"""


@pytest.fixture
def hanging_run(tmp_path):
    """A pytest that has servers of its own and waits for its end."""
    (tmp_path / "test_hanging.py").write_text(HANGING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "loyalty_testing.plugin", "-p", "no:cacheprovider"]
    env = {**os.environ, "DOCKER_HOST": "unix:///nowhere"}  # Private processes: containers are Docker's to remove.
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        _wait_until(lambda: run.poll() is not None or (tmp_path / "left.txt").exists())
        url, *folders = (tmp_path / "left.txt").read_text().split()
        yield run, url
        run.kill()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_its_servers_before_it_ends(hanging_run, how):
    run, url = hanging_run

    run.send_signal(how)

    assert run.wait(60) == pytest.ExitCode.INTERRUPTED
    assert not _answers(url)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its starter")
def test_the_servers_of_a_killed_run_end_with_it(hanging_run):
    run, url = hanging_run

    run.kill()

    _wait_until(lambda: not _answers(url))


def _answers(url):
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
