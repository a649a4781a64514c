"""A file of customers until the last of them is there, with opening balances and without, and back out as a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import stage
from benchmarks.pace import Line, NotMeasured, Pace
from benchmarks.stage import Merchant
from loyalty_local.suite import Suite
from loyalty_testing.integrator import Integrator

# 100,000 customers at the default of BENCH_SECONDS; balances, which two services book, for a fifth of them.
_ROWS_PER_SECOND = 25_000
_REACH = 100_000 / 180
_PIECE_BYTES = 64 * 1024


def through_the_gateway(pace: Pace) -> list[Line]:
    """All processes of the suite on this machine; the customers' events are relayed and taken in meanwhile."""
    rows = int(_ROWS_PER_SECOND * pace.seconds)
    with stage.suite_running() as suite:
        merchant = stage.merchant_of(suite)
        plain = imported(merchant.api, rows, people(rows))
        opened = imported(merchant.api, rows // 5, _members(rows // 5, merchant.card_id))
        exported, growth = _exported(suite, merchant, rows)
    reach = f"≥ {_REACH:.0f}/s"
    return [
        Line(f"{rows:,} customers imported, through all", f"{plain:,.0f}/s", "–", "–", reach),
        Line(f"{rows // 5:,} customers with opening balances", f"{opened:,.0f}/s", "–", "–", reach),
        Line("customers.csv, through all", f"{exported:,.0f}/s", "–", "–", "–"),
        Line("growth of customers serve meanwhile", f"{growth / 1024 / 1024:.1f} MiB", "–", "–", "≤ 4 MiB"),
    ]


def people(count: int) -> Iterator[str]:
    yield "email,name,phone\n"
    for number in range(count):
        yield f"person{number}@example.com,Alexandra Rivera {number},+1555{number:07d}\n"


def _members(count: int, card_id: int) -> Iterator[str]:
    yield "email,name,loyalty_card_id,points\n"
    for number in range(count):
        yield f"member{number}@example.com,Member {number},{card_id},{number + 1}\n"


def imported(api: Integrator, rows: int, lines: Iterator[str]) -> float:
    """Rows per second, from the first byte sent until the job says that it has succeeded."""
    content, began = "".join(lines).encode(), time.monotonic()
    headers = {"Content-Type": "text/csv"}
    sent = api.data("POST", "/imports?type=customers", data=content, headers=headers, timeout_s=120)
    while (job := api.data("GET", f"/imports/{sent['id']}")["job"])["finished_at"] is None:
        if time.monotonic() - began > 900:
            raise NotMeasured(f"an import has come no further than {job} in 15 minutes")
        time.sleep(0.2)
    if job["succeeded"] != rows:
        raise NotMeasured(f"an import ended with {job}")
    return rows / (time.monotonic() - began)


def _exported(suite: Suite, merchant: Merchant, at_least: int) -> tuple[float, int]:
    """Lines per second, and by how many bytes the service grew after the first of them."""
    pids = _workers_of(suite, "customers-serve")
    first = sum(map(_resident_bytes, pids))
    most, lines, began = first, 0, time.monotonic()
    with merchant.api.call("GET", "/exports/customers.csv", stream=True, timeout_s=600) as answer:
        for piece in answer.iter_content(_PIECE_BYTES):
            lines += piece.count(b"\n")
            most = max(most, sum(map(_resident_bytes, pids)))
    if lines < at_least:
        raise NotMeasured(f"the export had {lines} lines, with status {answer.status_code}")
    return lines / (time.monotonic() - began), most - first


def _workers_of(suite: Suite, name: str) -> list[int]:
    leader = suite.processes[name].pid
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    return [int(pid) for pid in children]


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
