"""A sender's threads stay together, where others leave them most room."""

import json
import os
import subprocess
import sys
import threading

import pytest

from loyalty_webhooks.sender import processor
from loyalty_webhooks.sender.processor import better_than

PINNED = """
import json, os, threading, time
from loyalty_webhooks.sender.processor import keep_to_one_processor

ended = threading.Event()
threading.Thread(target=ended.wait).start()
keep_to_one_processor()
deadline = time.monotonic() + 20
while len(os.sched_getaffinity(0)) > 1 and time.monotonic() < deadline:
    time.sleep(0.01)
threading.Thread(target=ended.wait).start()
print(json.dumps([sorted(os.sched_getaffinity(int(thread))) for thread in os.listdir("/proc/self/task")]))
ended.set()
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux lets a process choose its processors")
def test_threads_that_were_there_and_that_come_later_are_on_one_processor():
    run = subprocess.run([sys.executable, "-c", PINNED], capture_output=True, text=True, timeout=60, check=True)
    processors = json.loads(run.stdout)
    assert len(processors) >= 3
    allowed = os.sched_getaffinity(0)
    assert all(each == processors[0] and set(each) <= allowed for each in processors)
    assert len(processors[0]) == 1 or len(allowed) == 1


@pytest.mark.parametrize(
    ("by_others", "wanted"),
    [
        ({0: 0.9, 1: 0.1, 2: 0.3}, 1),
        ({0: 0.3, 1: 0.1, 2: 0.2}, 0),
        ({0: 0.0, 1: 1.0}, 0),
        ({0: 0.9}, 0),
    ],
)
def test_it_moves_to_where_others_use_least_if_that_is_worth_it(by_others, wanted):
    assert better_than(0, by_others) == wanted


def test_where_the_use_of_processors_cannot_be_read_it_stays_with_all(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "_FIGURES", tmp_path / "stat")
    processor.keep_to_one_processor()
    assert "processor" not in {thread.name for thread in threading.enumerate()}
