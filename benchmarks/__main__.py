"""``make bench``: what the suite does, beside its limit, as one table. Asserts nothing.

Ends with 1 only if something could not be measured. Names of rows as arguments measure these only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, fields

from benchmarks import (
    claims,
    cold_keys,
    credits,
    deciding,
    deliveries,
    imports,
    intake,
    latency,
    pages,
    proxying,
    search,
    sending,
)
from benchmarks.pace import Line, NotMeasured, Pace

ROWS: Mapping[str, Callable[[Pace], list[Line]]] = {
    "service": credits.on_the_service_alone,
    "suite": credits.through_the_gateway,
    "gateway": proxying.through_the_gateway,
    "gateway-redis": proxying.with_limits_in_redis,
    "gateway-latency": latency.added_by_the_gateway,
    "gateway-cold": cold_keys.on_a_cold_cache,
    "forward-auth": deciding.for_nginx,
    "latency": latency.on_the_embedded_transport,
    "latency-rabbitmq": latency.on_rabbitmq,
    "deliveries": deliveries.to_one_receiver,
    "claims": claims.behind_a_backlog,
    "sending": sending.over_http,
    "sending-tls": sending.over_tls,
    "sending-slow": sending.to_slow_receivers,
    "intake": intake.from_rabbitmq,
    "imports": imports.through_the_gateway,
    "search": search.on_the_service_alone,
    "dashboard": pages.of_a_large_organization,
}


def main(wanted: Sequence[str]) -> int:
    unknown = sorted(set(wanted) - set(ROWS))
    if unknown:
        print(f"There is no row {', '.join(unknown)}: {', '.join(ROWS)}")
        return 2
    pace = Pace.of_environment()
    lines, failures = [], []
    for name in wanted or ROWS:
        print(f"Measuring {name} …", file=sys.stderr, flush=True)
        try:
            lines += ROWS[name](pace)
        except NotMeasured as failure:
            failures.append(f"{name} was not measured: {failure}")
    print(table(lines), *failures, sep="\n")
    return 1 if failures else 0


def table(lines: Sequence[Line]) -> str:
    rows = [tuple(field.name for field in fields(Line)), *map(astuple, lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
