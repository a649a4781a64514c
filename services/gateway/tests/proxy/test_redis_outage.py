"""Redis killed and started again while calls come in: nobody notices but the limits."""

import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

CARDS = "/api/v1/loyalty-cards"
BURST = 40
CLIENTS = 4


def test_redis_may_die_and_come_back_under_load(start_gateway, upstream, redis_server, new_key, change, until):
    settings = {"PROGRAMS_URL": upstream.url, "REDIS_URL": redis_server.url, "REPLICAS": "2"}
    replicas = [start_gateway(**settings), start_gateway(**settings)]
    key = new_key()
    # So slow that hardly anything flows back: what is granted is bursts.
    change("update api_keys set requests_per_minute = 6, burst = :burst where id = :id", burst=BURST, id=key["id"])
    statuses: Counter[int] = Counter()
    over, started = threading.Event(), time.monotonic()

    def call(replica):
        while not over.is_set():
            statuses[replica.ask("GET", CARDS, key=key["key"]).status] += 1

    with ThreadPoolExecutor(CLIENTS) as clients:
        calls = [clients.submit(call, replicas[number % 2]) for number in range(CLIENTS)]
        try:
            until(lambda: statuses[429] > 20)
            redis_server.runner.stop(signal.SIGKILL)
            until(lambda: all(gateway.lines(event="limits_local") for gateway in replicas))
            refused = statuses[429]
            until(lambda: statuses[429] > refused + 50)
        finally:
            redis_server.start()
            until(lambda: all(gateway.lines(event="limits_shared") for gateway in replicas))
            refused = statuses[429]
            until(lambda: statuses[429] > refused + 20)
            over.set()
        for one in calls:
            one.result()
    assert statuses.keys() == {200, 429}
    flowed_back = 3 * (2 + (time.monotonic() - started) / 10)
    # One burst to begin with, and one more at each change-over.
    assert BURST <= statuses[200] <= 3 * BURST + flowed_back
    for gateway in replicas:
        assert len(gateway.lines(event="limits_local")) == 1
        assert gateway.lines(event="limits_shared")[0]["decided_alone"] > 20
        assert {line["limit_store"] for line in gateway.lines(event="request", kid=key["key"][9:19])} == {
            "redis",
            "process",
        }
