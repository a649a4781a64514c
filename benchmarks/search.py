"""A million customers of one tenant, searched and listed: the customers service on a PostgreSQL with pg_trgm."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import stage
from benchmarks.pace import Line, NotMeasured, Pace
from benchmarks.stage import Connection
from loyalty_common.pagination import encode
from loyalty_local.suite import Suite
from loyalty_testing.integrator import Integrator
from loyalty_testing.machine import ServerMissing
from loyalty_testing.postgres import Postgres

_CUSTOMERS = 1_000_000
_LATE = 5_000
_TENANT = 1_000
_FEW = 1_000
_SHORTEST = 3
_PEOPLE_PER_SECOND = 20
_PER_PAGE = 25
_PAIRS = 40

# What a million customers who were created through the API leave: 48 first names, 2,400 surnames, seven in ten have
# a phone number, and most share one of a few domains.
_PEOPLE = """
    with words as (
        select string_to_array(
                   'alex maria james fatima wei olga carlos anna john priya david sofia omar emma lucas yuki peter '
                   'nina ahmed laura kevin chloe ivan zoë miguel sarah tom ingrid andré grace paul lena mohamed julia '
                   'victor alice hugo mei daniel clara samuel rosa felix amira george elena oscar ruth', ' ') as firsts,
               string_to_array(
                   'ander berg carl dahl eck fisch gold hall iver john kings lang mar nor ost peter quist river sand '
                   'torn ull var west york zim ash black cart don ever forest gren hart irv jas kell lind monte new '
                   'oak park rose silver thorn under vogel wood wind abel', ' ') as beginnings,
               string_to_array(
                   'a sen son mann berg feld ström er ley ton ville stein ham field dal holm by worth well land ford '
                   'gate ridge brook smith wick wright ing low man ez ova kov ić escu oğlu aki ura ini ard elli ell '
                   'ette ow ski czyk ler ner', ' ') as endings,
               array['gmail.com', 'gmail.com', 'gmail.com', 'outlook.com', 'yahoo.com', 'icloud.com', 'example.com',
                     'proton.me'] as domains),
    drawn as materialized (
        select n,
               firsts[1 + floor(random() * cardinality(firsts))::int] as first,
               beginnings[1 + floor(random() * cardinality(beginnings))::int]
                   || endings[1 + floor(random() * cardinality(endings))::int] as last,
               domains[1 + floor(random() * cardinality(domains))::int] as domain,
               case when random() < 0.7 then '+1' || 2000000000 + floor(random() * 8e9)::bigint end as phone
          from generate_series(%(first)s, %(last)s) as n, words),
    addressed as (
        select *, case n %% 3 when 0 then first || '.' || last || n when 1 then left(first, 1) || last || n
                  else first || '_' || n end || '@' || domain as email
          from drawn)
    insert into customers (tenant_id, id, version, name, email, email_key, phone, metadata, search_text,
                           created_at, updated_at)
    select %(tenant_id)s, n, 1, initcap(first) || ' ' || initcap(last), email, email, phone, '{}',
           first || ' ' || last || chr(10) || email, at, at
      from addressed, lateral (select timestamptz '2020-01-01' + n * interval '3 minutes') as moment (at)
"""
_SOME = "select name, email, phone from customers where tenant_id = %s and phone is not null and id = any (%s)"
_OLDEST = "select created_at, id from customers where tenant_id = %s order by created_at, id offset %s limit 1"


@dataclass(frozen=True, slots=True)
class Asked:
    term: str
    found: int
    took_ms: float


def on_the_service_alone(pace: Pace) -> list[Line]:
    """One gunicorn worker of customers and PostgreSQL; everything else is stopped."""
    try:
        server = Postgres.open()
    except ServerMissing as missing:
        raise NotMeasured(str(missing)) from missing
    try:
        with stage.suite_running(postgres_url=server.url) as suite, stage.database(suite, "customers") as customers:
            _fill(customers)
            stage.stop_all_but(suite, "customers-serve")
            people = int(_PEOPLE_PER_SECOND * pace.seconds)
            _ask(suite, _terms(customers, random.Random(1), people=people // 5))
            asked = _ask(suite, _terms(customers, random.Random(2), people=people))
            return [*_searches(asked), *_pages(suite, customers)]
    finally:
        server.close()


def _fill(customers: Connection) -> None:
    """The indexes are made when most are there, as by a migration; of the others the index of trigrams has yet to make
    entries, and looks them through with every search."""
    indexes = dict(
        customers.execute(
            "select indexname, indexdef from pg_indexes where tablename = 'customers' and indexname like 'ix%'"
        ).fetchall()
    )
    if "ix_customers_search" not in indexes:
        raise NotMeasured("this PostgreSQL has no pg_trgm and btree_gin: apt-get install postgresql-contrib")
    customers.execute("set maintenance_work_mem = '512MB'")
    customers.execute("select setseed(0.5)")
    for name in indexes:
        customers.execute(f"drop index {name}".encode())
    customers.execute(_PEOPLE, {"tenant_id": _TENANT, "first": 1, "last": _CUSTOMERS - _LATE})
    for definition in indexes.values():
        customers.execute(definition.encode())
    customers.execute("vacuum analyze customers")
    customers.execute(_PEOPLE, {"tenant_id": _TENANT, "first": _CUSTOMERS - _LATE + 1, "last": _CUSTOMERS})


def _terms(customers: Connection, chance: random.Random, *, people: int) -> list[str]:
    """What is asked for of so many customers, in any order."""
    ids = chance.sample(range(1, _CUSTOMERS + 1), people)
    found = customers.execute(_SOME, [_TENANT, ids]).fetchall()
    terms = [term for number, person in enumerate(found) for term in _terms_of(chance, *person, rare=number % 5 == 0)]
    chance.shuffle(terms)
    return terms


def _terms_of(chance: random.Random, name: str, email: str, phone: str, *, rare: bool) -> Iterator[str]:
    """Name, e-mail and phone number or parts of them, as they are said, some with a mistake; a few characters out of
    the middle; ``rare``: too few of them."""
    first, _, last = name.partition(" ")
    local, _, domain = email.partition("@")
    yield chance.choice([name, name.lower(), f"{first[1:]} {last}", f"{first} {last[:3]}", last, last[:-1]])
    yield chance.choice([email, local, f"{local}@{domain[:3]}", f"{local[1:]}@", local.replace(".", "_"), f"{last}%"])
    yield chance.choice([phone, f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}", phone[5:], phone[6:], phone[:8]])
    text = chance.choice([name, local, email, phone])
    begin, length = chance.randrange(len(text) - _SHORTEST), chance.randint(_SHORTEST, 7)
    yield text[begin : begin + length].strip()
    if rare:
        yield chance.choice([first[:2], "_%", phone[-2:], last[0]])


def _ask(suite: Suite, terms: Sequence[str]) -> list[Asked]:
    asked = []
    for number, term in enumerate(terms):
        if number % 20 == 0:
            service = _service(suite)
        began = time.perf_counter()
        answer = service.call("GET", "/customers", params={"search": term})
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status_code != 200:
            raise NotMeasured(f"search={term} was answered {answer.status_code}: {answer.text}")
        asked.append(Asked(term, answer.json()["meta"]["total"], took_ms))
    return asked


def _searches(asked: Sequence[Asked]) -> Iterator[Line]:
    long = [one for one in asked if len(one.term) >= _SHORTEST]
    few = [one for one in long if one.found <= _FEW]
    yield from _percentiles(
        f"search of ≥ {_SHORTEST} characters that finds ≤ {_FEW:,} of {_CUSTOMERS:,}", few, "≤ 50 ms"
    )
    yield from _percentiles("search that finds more", [one for one in long if one.found > _FEW], "–")
    yield from _percentiles("search of fewer characters", [one for one in asked if len(one.term) < _SHORTEST], "–")


def _percentiles(measured: str, asked: Sequence[Asked], reach: str) -> Iterator[Line]:
    took_ms = sorted(one.took_ms for one in asked)
    p50, p95 = statistics.median(took_ms), took_ms[int(len(took_ms) * 0.95)]
    yield Line(f"{measured}, {len(asked)} terms, p50", f"{p50:.1f} ms", "–", "–", "–")
    yield Line(f"{measured}, {len(asked)} terms, p95", f"{p95:.1f} ms", "–", "–", reach)


def _pages(suite: Suite, customers: Connection) -> Iterator[Line]:
    """The first and the last full page by cursor, taking turns."""
    position = customers.execute(_OLDEST, [_TENANT, _PER_PAGE]).fetchone()
    assert position is not None
    yield _compare(suite, f"last page by cursor of {_CUSTOMERS:,} customers", "", encode(*position))
    term = "rivermann"
    pages = _walked(_service(suite), f"search={term}&per_page={_PER_PAGE}&cursor=")
    last = next(cursor for cursor, count in reversed(pages) if count == _PER_PAGE)
    yield _compare(suite, f"last full page by cursor of a search that finds {sum(n for _, n in pages)}", term, last)


def _walked(service: Integrator, query: str) -> list[tuple[str, int]]:
    """The cursor of each page and how many are on it."""
    pages = []
    while query:
        answer = service.call("GET", f"/customers?{query}").json()
        pages.append((query.rpartition("cursor=")[2], len(answer["data"])))
        query = (answer["links"]["next"] or "").partition("?")[2]
    return pages


def _compare(suite: Suite, measured: str, term: str, last: str) -> Line:
    service = _service(suite)
    query: dict[str, Any] = {"per_page": _PER_PAGE, **({"search": term} if term else {})}

    def page(cursor: str) -> float:
        began = time.perf_counter()
        service.data("GET", "/customers", params={**query, "cursor": cursor})
        return (time.perf_counter() - began) * 1000

    pairs = [(page(""), page(last)) for _ in range(_PAIRS)][_PAIRS // 4 :]
    first_ms, last_ms = (statistics.median(took_ms) for took_ms in zip(*pairs, strict=True))
    ratio = statistics.median(late / early for early, late in pairs)
    return Line(measured, f"{last_ms:.1f} ms", f"first page: {first_ms:.1f} ms", f"{ratio:.3g}", "≈ 1")


def _service(suite: Suite) -> Integrator:
    token = stage.identity(suite, "customers", tenant_id=_TENANT, organization_id=1, scope="customers:read")
    return Integrator(f"{suite.layout.addresses.url('customers-serve')}/v1", token)
