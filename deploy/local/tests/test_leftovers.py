"""What an earlier run left is ended at the next start, and nothing else is."""

import dataclasses
import json
import os
import signal
import subprocess
import sys

import pytest

from loyalty_local.leftovers import Record, Started, moment_of_start


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path / "processes.json")


def test_a_process_that_a_killed_launcher_left_is_ended(sleeper, record):
    record.write([Started.now("programs-serve", sleeper.pid, signal.SIGTERM)])

    assert record.end_leftovers() == ["programs-serve"]

    assert sleeper.wait(5) == -signal.SIGTERM
    assert record.read() == []


def test_a_stranger_who_got_the_pid_is_left_alone(sleeper, record):
    earlier = dataclasses.replace(Started.now("programs-serve", sleeper.pid, signal.SIGTERM), moment="last week")
    record.write([earlier])

    assert record.end_leftovers() == []

    assert sleeper.poll() is None


def test_a_process_that_is_gone_is_no_leftover(sleeper, record):
    record.write([Started.now("programs-serve", sleeper.pid, signal.SIGTERM)])
    sleeper.kill()
    sleeper.wait()

    assert record.end_leftovers() == []


def test_workers_whose_leader_is_gone_are_given_time_to_notice(record):
    orphaned = "import subprocess; print(subprocess.Popen(['sleep', '0.5']).pid, flush=True)"
    with subprocess.Popen([sys.executable, "-c", orphaned], stdout=subprocess.PIPE, start_new_session=True) as leader:
        worker = int(leader.stdout.readline())
        record.write([Started("programs-serve", leader.pid, "earlier", signal.SIGTERM)])
        leader.wait()

    record.end_leftovers()

    assert moment_of_start(worker) is None


@pytest.mark.parametrize("content", ["", "[{", '[{"pid": 1}]', json.dumps([{"unknown": os.getpid()}])])
def test_a_record_that_cannot_be_read_names_nobody(record, tmp_path, content):
    (tmp_path / "processes.json").write_text(content)

    assert record.end_leftovers() == []
