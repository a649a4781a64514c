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
