"""One processor for one interpreter.

Python runs one of a sender's threads at a time. Spread over several processors, they hand the interpreter across at
every system call and wake each other in vain: decision 0006 has the figures.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_LOOK_EVERY_S = 1.0
_WORTH_A_MOVE = 0.25
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_FIGURES = Path("/proc/stat")
_IDLE, _WAITING_FOR_DISK = 3, 4


def keep_to_one_processor() -> None:
    """For the whole process, from now on: that of those allowed to it which others use least. Linux only."""
    if not hasattr(os, "sched_setaffinity") or not os.access(_FIGURES, os.R_OK):
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) > 1:
        threading.Thread(target=_keep_to_one, args=(allowed,), name="processor", daemon=True).start()


def _keep_to_one(allowed: set[int]) -> None:
    used, own = _used_s(), time.process_time()
    current = random.choice(list(allowed))  # noqa: S311 (senders that start together part)
    _move_to(current)
    while True:
        time.sleep(_LOOK_EVERY_S)
        used_before, own_before = used, own
        used, own = _used_s(), time.process_time()
        by_others = {
            number: used[number] - used_before[number] for number in allowed & used.keys() & used_before.keys()
        }
        if current in by_others:
            by_others[current] -= own - own_before
            wanted = better_than(current, by_others)
            # Of two senders on one processor one is to go.
            if wanted != current and random.random() < 0.5:  # noqa: S311
                current = wanted
                _move_to(current)


def better_than(current: int, by_others: Mapping[int, float]) -> int:
    """The processor of which others use least, in processor seconds a second; ``current`` unless that is worth it."""
    least = min(by_others, key=by_others.__getitem__)
    return least if by_others[current] - by_others[least] > _WORTH_A_MOVE else current


def _move_to(number: int) -> None:
    for thread_id in os.listdir("/proc/self/task"):
        with suppress(OSError):  # the thread has ended, or the processor was taken away
            os.sched_setaffinity(int(thread_id), {number})


def _used_s() -> dict[int, float]:
    """Of each processor, the seconds that were not idle since it was started."""
    used: dict[int, float] = {}
    for line in _FIGURES.read_text().splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name != "cpu":
            spent = [int(each) for each in ticks[:8]]
            used[int(name[3:])] = (sum(spent) - spent[_IDLE] - spent[_WAITING_FOR_DISK]) / _TICKS_PER_S
    return used
