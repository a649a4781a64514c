"""Processes are kept running, and none is left."""

import os
import subprocess
import sys

import pytest

from loyalty_local import processes
from loyalty_local.leftovers import command_line, moment_of_start

SLEEPS = "import time; time.sleep(60)"
LEADS_A_WORKER = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid); time.sleep(60)"


def test_a_process_that_dies_is_started_again_and_said_so(supervisor, python, said, wait_until):
    till = supervisor.add(python("till", SLEEPS))
    wait_until(lambda: till.pid)
    first = till.pid

    till.kill()

    wait_until(lambda: till.pid not in (None, first))
    assert said == [f"till was ended by SIGKILL; it is started again in 0.25 s. Its log: {till.log}"]


def test_the_pauses_before_a_process_that_keeps_dying_grow(supervisor, python, said, wait_until):
    supervisor.add(python("till", "raise SystemExit(3)"))

    wait_until(lambda: len(said) == 4)

    assert [line.split(" in ")[1].split(" s")[0] for line in said] == ["0.25", "0.5", "1", "2"]
    assert said[0].startswith("till ended with code 3;")


def test_a_process_drains_when_it_is_asked_to_stop(supervisor, python, wait_until):
    drains = "import signal\nprint('up')\nsignal.sigwait([signal.SIGTERM])\nprint('drained')"
    till = supervisor.add(python("till", f"import signal; signal.pthread_sigmask(0, [15])\n{drains}"))
    wait_until(lambda: till.log.exists() and "up" in till.log.read_text())

    till.stop()

    assert till.pid is None
    assert "drained" in till.log.read_text()


def test_a_process_that_does_not_want_to_stop_is_killed(supervisor, python, wait_until, monkeypatch):
    monkeypatch.setattr(processes, "_DRAIN_S", 0.3)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    till = supervisor.add(python("till", stubborn))
    wait_until(lambda: till.log.exists() and "up" in till.log.read_text())

    till.stop()

    assert till.pid is None


def test_a_stopped_process_stays_down_until_it_is_started(supervisor, python, said, wait_until):
    till, other = supervisor.add(python("till", SLEEPS)), supervisor.add(python("other", SLEEPS))
    wait_until(lambda: till.pid and other.pid)

    till.stop()
    other.restart()
    assert till.pid is None
    till.start()

    assert till.pid
    assert said == []


def test_workers_go_with_their_leader(supervisor, python, wait_until):
    till = supervisor.add(python("till", LEADS_A_WORKER))
    wait_until(lambda: till.log.exists() and till.log.read_text().strip())
    worker = int(till.log.read_text().split()[0])

    os.kill(till.pid, 9)

    wait_until(lambda: moment_of_start(worker) is None)


def test_the_log_of_the_last_run_is_kept_beside_the_new_one(supervisor, python, tmp_path, wait_until):
    (tmp_path / "till.log").write_text("yesterday")

    till = supervisor.add(python("till", "print('today', flush=True); " + SLEEPS))

    wait_until(lambda: till.log.exists() and till.log.read_text().strip() == "today")
    assert (tmp_path / "till.log.1").read_text() == "yesterday"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_processes_end_with_a_launcher_that_is_killed(tmp_path, wait_until):
    launcher = f"""
import sys, time
from pathlib import Path
from loyalty_local.leftovers import Record
from loyalty_local.processes import Command, Supervisor
here = Path({str(tmp_path)!r})
supervisor = Supervisor(logs=here, record=Record(here / "processes.json"), say=print)
till = supervisor.add(Command("till", ["sleep", "60"]))
while not till.pid: time.sleep(0.01)
(here / "pid").write_text(str(till.pid))
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", launcher]) as process:
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        till = int((tmp_path / "pid").read_text())
        wait_until(lambda: command_line(till).startswith("sleep"))
        process.kill()

    wait_until(lambda: moment_of_start(till) is None)
