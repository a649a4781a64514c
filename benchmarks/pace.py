"""How long and how often: the environment's ``BENCH_SECONDS`` and ``BENCH_ROUNDS``."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

Run = Callable[[float], float]
"""Runs for about so many seconds; returns how many it did in one."""


class NotMeasured(Exception):
    """Something could not be measured; the text says why, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure is held against, and the ratio to reach."""

    name: str
    run: Run
    reach: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table, as it is printed."""

    measured: str
    figure: str
    limit: str
    ratio: str
    reach: str


@dataclass(frozen=True, slots=True)
class Pace:
    seconds: float
    rounds: int

    @classmethod
    def of_environment(cls) -> Self:
        return cls(float(os.environ.get("BENCH_SECONDS", "4")), int(os.environ.get("BENCH_ROUNDS", "5")))

    def compare(self, measured: str, run: Run, *limits: Limit) -> list[Line]:
        """A line per limit. After a warm-up of each they take turns, A B A B …, because machines swing: a ratio is the
        median of the rounds' own ratios, never one of figures from different minutes."""
        runs = [run, *(limit.run for limit in limits)]
        for each in runs:
            each(min(2.0, self.seconds))
        rounds = [[each(self.seconds) for each in runs] for _ in range(self.rounds)]
        figure = f"{_median(rounds, 0):,.0f}/s"
        return [
            Line(
                measured,
                figure,
                f"{limit.name}: {_median(rounds, place):,.0f}/s",
                f"{statistics.median(figures[0] / figures[place] for figures in rounds):.3g}",
                f"≥ {limit.reach:g}",
            )
            for place, limit in enumerate(limits, start=1)
        ]


def _median(rounds: Sequence[Sequence[float]], place: int) -> float:
    return statistics.median(figures[place] for figures in rounds)
