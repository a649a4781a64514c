"""The embedded PostgreSQL starts for whom it must, keeps its data, and survives what happens to processes."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from loyalty_local import leftovers
from loyalty_local.databases import create_databases
from loyalty_local.keys import Keys
from loyalty_local.postgres import Embedded
from loyalty_local.processes import Command


@pytest.fixture
def start(embedded, supervisor):
    """Starts the server as the suite does."""

    def start():
        embedded.prepare()
        embedded.end_earlier()
        command = Command("postgres", embedded.command(), embedded.environment(), embedded.user, signal.SIGINT)
        process = supervisor.add(command)
        embedded.wait_until_it_answers()
        return process

    return start


def test_it_is_postgresql_18_and_finds_its_data_again(embedded, start):
    process = start()
    with psycopg.connect(embedded.url) as connection:
        assert connection.execute("SHOW server_version").fetchone()[0].startswith("18.")
        connection.execute("CREATE TABLE purchases AS SELECT 24.50 AS amount")

    process.stop()
    start()

    assert purchases(embedded) == 1


def test_it_is_set_up_once(embedded):
    assert embedded.prepare() is True
    assert embedded.prepare() is False


def test_nobody_gets_in_without_the_password_and_nothing_listens_on_tcp(embedded, start):
    start()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(embedded.url.replace(embedded.password, "guess"))
    with psycopg.connect(embedded.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert stat.S_IMODE(embedded.sockets.stat().st_mode) == 0o700


def test_it_recovers_when_all_its_processes_are_killed_at_once(embedded, start, wait_until):
    process = start()
    with psycopg.connect(embedded.url) as connection:
        connection.execute("CREATE TABLE purchases AS SELECT 24.50 AS amount")
    killed = process.pid

    for pid in [killed, *backends(embedded)]:
        os.kill(pid, signal.SIGKILL)

    wait_until(lambda: process.pid not in (None, killed))
    embedded.wait_until_it_answers()
    assert purchases(embedded) == 1


def test_a_stranger_with_the_pid_of_the_killed_server_is_left_alone_and_no_obstacle(embedded, start, supervisor):
    process = start()
    process.stop()
    # Of the server's user, or PostgreSQL could tell that the stranger is none of its own.
    with subprocess.Popen(["sleep", "60"], user=embedded.user) as stranger:
        lock = embedded.data / "postmaster.pid"
        lock.write_text(f"{stranger.pid}\n{embedded.data}\n1\n5432\n{embedded.sockets}\n\n0 0\n")

        start()

        assert stranger.poll() is None
        stranger.kill()


def test_a_server_that_an_earlier_run_left_is_ended_before_a_new_one_starts(embedded, start):
    embedded.prepare()
    left = Command("postgres", embedded.command(), embedded.environment(), embedded.user, signal.SIGINT)
    with left.popen(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as earlier:
        embedded.wait_until_it_answers()

        start()

        assert earlier.wait(10) == 0
    assert leftovers.command_line(earlier.pid) == ""


def test_a_checkout_with_a_long_path_has_its_socket_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    keys = Keys.of(tmp_path / "keys.json")

    near, far = Embedded.of(tmp_path, keys), Embedded.of(tmp_path / ("deep/" * 20), keys)

    assert near.sockets == tmp_path / "postgres"
    assert far.sockets == Path("/tmp", f"loyalty-1000-{keys.installation}")


def test_no_service_can_read_the_database_of_another(embedded, start):
    start()
    urls = create_databases(embedded.url, {"gateway": "accounts", "programs": "programs"}, secret="s")
    again = create_databases(embedded.url, {"gateway": "accounts", "programs": "programs"}, secret="s")

    assert again == urls
    with psycopg.connect(urls["gateway"]) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("accounts", "accounts")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(urls["gateway"].replace("/accounts?", "/programs?"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_it_starts_for_a_user_without_rights():
    """Runs one of the tests above, with all that it stands on, as the user ``nobody``."""
    python = next((path for path in (sys.executable, "/usr/bin/python3") if runs_for_nobody(path)), None)
    if python is None:
        pytest.skip("there is no Python of this version that the user nobody may run")
    here = Path(__file__).parent
    apart = ["--confcutdir", str(here), "--rootdir", "/tmp", "-c", os.devnull, "-p", "no:cacheprovider"]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run(
        [python, "-m", "pytest", __file__, "-k", "finds_its_data_again", *apart],
        user="nobody",
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr


def purchases(embedded):
    with psycopg.connect(embedded.url) as connection:
        return connection.execute("SELECT count(*) FROM purchases").fetchone()[0]


def backends(embedded):
    with psycopg.connect(embedded.url) as connection:
        listed = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
    return [pid for (pid,) in listed]


def runs_for_nobody(python):
    version = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([python, "-c", version], user="nobody", check=False).returncode == 0
    except PermissionError:
        return False
