import subprocess
import sys
import threading

from loyalty_common.process import run_worker


def test_a_worker_goes_on_after_a_failure_and_rests_when_there_is_nothing_to_do() -> None:
    stop, done = threading.Event(), []

    def step() -> bool:
        done.append(len(done))
        if len(done) == 2:
            raise ConnectionError("the database is away")
        if len(done) == 4:
            stop.set()
        return len(done) < 3

    run_worker(step, stop=stop, idle_s=0.01)
    assert done == [0, 1, 2, 3]


STOPPED_200_TIMES = """
import os, signal, threading
from loyalty_common.process import until_stopped

for number in range(200):
    stop = until_stopped()
    timer = threading.Timer(0.003, os.kill, (os.getpid(), signal.SIGTERM if number % 2 else signal.SIGINT))
    timer.start()
    while not stop.wait(0):
        pass
    timer.join()
"""


def test_a_signal_in_the_middle_of_waiting_for_it_stops_the_process() -> None:
    subprocess.run([sys.executable, "-c", STOPPED_200_TIMES], check=True, timeout=60)
