"""How long each page of the dashboard and the portal takes its server, for an organization with 100,000 customers."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from threading import Event
from urllib.parse import urlsplit

from benchmarks import imports, stage
from benchmarks.pace import Line, NotMeasured, Pace
from loyalty_local.demo import demo_of
from loyalty_local.demo_data.api import Api
from loyalty_local.demo_data.filling import fill
from loyalty_local.suite import Suite
from loyalty_testing.integrator import Integrator
from loyalty_testing.machine import ServerMissing
from loyalty_testing.postgres import Postgres
from loyalty_testing.visitor import Page, Visitor

_CUSTOMERS = 100_000
_VISITS_PER_ROUND = 2
_WARM_UP = 1
_WAIT_S = 2
_BEGINNINGS = ("/", "/dashboard", "/dashboard/customers?search=rivera+42", "/dashboard/counter?search=rivera+42")
# Of pages that differ in what they show only, the first that is found is measured.
_SHOWN = re.compile(r"\d+|(?<=/console/).+|(?<=/events/).+|#.*")
_SLOWEST = 5


def of_a_large_organization(pace: Pace) -> list[Line]:
    """Asked one after the other by the owner, from the request until the last byte. All processes of the suite run."""
    try:
        server = Postgres.open()
    except ServerMissing as missing:
        raise NotMeasured(str(missing)) from missing
    try:
        with stage.suite_running(postgres_url=server.url) as suite:
            owner = _owner_of(suite)
            paths = list(_pages(owner))
            visits = _WARM_UP + _VISITS_PER_ROUND * pace.rounds
            took_ms = {path: [_took_ms(owner, path) for _ in range(visits)][_WARM_UP:] for path in paths}
            return list(_lines(took_ms))
    finally:
        server.close()


def _owner_of(suite: Suite) -> Visitor:
    """Of an organization with the month of `make run` and the customers of a file."""
    demo = demo_of(suite)
    month = Api(demo["LOYALTY_URL"], demo["LOYALTY_API_KEY"], stop=Event())
    fill(month, first_place=int(demo["LOYALTY_PARTNER_LOCATION_ID"]), until=datetime.now(UTC))
    api = Integrator(suite.base_url, demo["LOYALTY_API_KEY"])
    imports.imported(api, _CUSTOMERS, imports.people(_CUSTOMERS))
    with stage.database(suite, "customers") as customers:
        waiting = "select count(*) from outbox"
        stage.wait_until(lambda: stage.count(customers, waiting) == 0, what="all told", timeout_s=1200, every_s=0.5)
    owner = Visitor(suite.layout.addresses.url("dashboard-serve"))
    page = owner.sign_in(demo["DASHBOARD_EMAIL"], demo["DASHBOARD_PASSWORD"])
    if page.status != 200 or "sign-in" in page.url:
        raise NotMeasured(f"signing in was answered {page.status}")
    return owner


def _pages(owner: Visitor) -> Iterator[str]:
    """Whatever links lead to, so that no page is forgotten."""
    known, waiting = set(), list(_BEGINNINGS)
    while waiting:
        path = waiting.pop(0)
        page, _ = _asked(owner, path)
        if not page.response.headers["Content-Type"].startswith("text/html"):
            continue
        yield path
        known.add(_kind(path))
        for link in _links(owner, page):
            if _kind(link) not in known:
                known.add(_kind(link))
                waiting.append(link)


def _links(owner: Visitor, page: Page) -> Iterator[str]:
    """Without their queries: filters and pages of a list are not further pages."""
    for link in page.links:
        parts = urlsplit(link)
        if parts.netloc == urlsplit(owner.base_url).netloc and parts.scheme.startswith("http"):
            yield parts.path


def _kind(path: str) -> str:
    return _SHOWN.sub("…", path)


def _took_ms(owner: Visitor, path: str) -> float:
    return _asked(owner, path)[1]


def _asked(owner: Visitor, path: str) -> tuple[Page, float]:
    """The API lets a user do ten things a second: who is told to wait does so, and it is not counted."""
    while True:
        began = time.perf_counter()
        answer = owner.session.get(owner.base_url + path, timeout=30)
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status_code == 200:
            return Page(answer), took_ms
        if answer.status_code != 429:
            raise NotMeasured(f"{path} was answered {answer.status_code}")
        time.sleep(_WAIT_S)


def _lines(took_ms: Mapping[str, Sequence[float]]) -> Iterator[Line]:
    p95 = {path: sorted(took)[int(len(took) * 0.95)] for path, took in took_ms.items()}
    middle = statistics.median(p95.values())
    yield Line(f"p95 of a page, {len(p95)} pages, the middle one", f"{middle:.0f} ms", "–", "–", "–")
    for path in sorted(p95, key=p95.__getitem__, reverse=True)[:_SLOWEST]:
        yield Line(f"p95 of a page, the slowest: {_kind(path)}", f"{p95[path]:.0f} ms", "–", "–", "≤ 150 ms")
