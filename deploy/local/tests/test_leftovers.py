"""What an earlier run left is ended at the next start, and nothing else is."""

import dataclasses
import json
import os
import signal
import subprocess

import pytest

from loyalty_local.leftovers import Record, Started


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


@pytest.mark.parametrize("content", ["", "[{", '[{"pid": 1}]', json.dumps([{"unknown": os.getpid()}])])
def test_a_record_that_cannot_be_read_names_nobody(record, tmp_path, content):
    (tmp_path / "processes.json").write_text(content)

    assert record.end_leftovers() == []
