"""What a page of a list costs the database: the rows that it looks at, which no speed of a machine changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine, Table, event, text

_OPENAPI = Path(__file__).parents[4] / "contracts/openapi"
_PAGING = {"page", "per_page", "cursor"}
MOST_LOOKED_AT = 300
"""For a page of 15: the rows, what is joined to each or counted for it, and the descents to find them."""
ABOVE_ALL = 1_000_000
_MORE = """
    insert into {table}
    select clone.* from (select one from {table} one where {owner} = :owner_id order by {key} limit 1) as the,
        generate_series(1, :times) n,
        lateral jsonb_populate_record(the.one, jsonb_build_object({columns})) clone
"""

Filters = dict[str, list[Any]]


def lists_of(service: str) -> dict[str, Filters]:
    """The lists of a service by path, and to each filter the values that its OpenAPI document counts out."""
    document = json.loads((_OPENAPI / f"{service}.json").read_text())
    lists = {}
    for path, item in document["paths"].items():
        sent = {parameter["name"]: parameter for parameter in item.get("get", {}).get("parameters", [])}
        if "cursor" in sent:
            filters = {name: _choices(sent[name]["schema"]) for name in sent.keys() - _PAGING}
            lists[path.removeprefix("/v1")] = {name: filters[name] for name in sorted(filters)}
    return lists


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    choices = [choice for inner in [schema, *schema.get("anyOf", [])] for choice in inner.get("enum", [])]
    return [choice for choice in choices if choice]


def multiply(connection: Connection, table: Table, *, owner_id: int, times: int, **columns: str) -> None:
    """``times`` more rows like the owner's first one of ``table``, each a day older than the one before.

    Their ids begin above ``ABOVE_ALL``. The owner is a tenant, or an organization where there are none.

    ``columns``: what else has to differ, in SQL, with ``n`` for their number and ``the.one`` for the first.
    """
    ages = {name: f"(the.one).{name} - n * interval '1 day'" for name in _moments(table)}
    differing = {"id": f"{ABOVE_ALL} + n", **ages} if "id" in table.c else ages
    columns = {**differing, **columns}
    built = ", ".join(f"'{name}', {value}" for name, value in columns.items())
    key = ", ".join(table.primary_key.columns.keys())
    owner = "tenant_id" if "tenant_id" in table.c else "organization_id"
    statement = text(_MORE.format(table=table.name, key=key, owner=owner, columns=built))
    connection.execute(statement, {"owner_id": owner_id, "times": times})


def _moments(table: Table) -> list[str]:
    return [name for name in ("created_at", "recorded_at", "occurred_at") if name in table.c]


def expensive_pages(
    service: str,
    *,
    call: Callable[..., Any],
    engine: Engine,
    ids: Mapping[str, Any],
    values: Mapping[str, list[Any]],
    rows: int,
    apart: Collection[tuple[str, str]] = (),
    composed: Collection[str] = (),
) -> list[str]:
    """First and last pages of any list, alone and with each of its filters, for which too many rows were looked at.

    ``ids`` fill in the paths, ``values`` are tried by each filter that has no closed set of them; a filter without
    any, and a list that does not hold ``rows``, fail. ``apart``: pairs of list and filter that another test judges;
    ``composed``: lists that others' lists are put together to.
    """
    meter, found = Meter(engine), []
    for path, filters in lists_of(service).items():
        if path in composed:
            continue
        tried = [(name, value) for name in filters for value in values.get(name, filters[name])]
        untried = filters.keys() - {name for name, _ in tried} - {name for listed, name in apart if listed == path}
        assert not untried, f"{path}: filter by what? {untried}"
        filled = path.format_map(ids)
        count, last = _walk(call, filled)
        assert count >= rows, f"{path} holds {count} rows"
        for query in [{}, *({name: value} for name, value in tried if (path, name) not in apart)]:
            # Places in a list are the same whatever is left out between them.
            for page, cursor in (("first", ""), ("last", last)):
                cost = meter.cost_of(_reading(call, filled, {**query, "cursor": cursor}))
                if cost > MOST_LOOKED_AT:
                    found.append(f"{path} {query}, the {page} page: {cost} rows")
    return found


def _walk(call: Callable[..., Any], path: str) -> tuple[int, str]:
    """How many rows a full synchronisation gets, and the cursor of its last page."""
    count, cursor, following = 0, "", ""
    while following is not None:
        cursor = following
        page = _reading(call, path, {"per_page": 100, "cursor": cursor})()
        count += len(page["data"])
        link = page["links"]["next"]
        following = link and link.rpartition("cursor=")[2]
    return count, cursor


def _reading(call: Callable[..., Any], path: str, query: Mapping[str, Any]) -> Callable[[], Any]:
    def read() -> Any:
        answer = call("GET", f"{path}?{urlencode(query)}")
        assert answer.status_code == 200, f"{path} {query}: {answer.text}"
        return answer.json

    return read


class Meter:
    """Counts the rows that are looked at by the statements of ``engine``, which only read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def cost_of(self, read: Callable[[], Any]) -> int:
        """Rows that ``read`` made the database look at, those that it did not return among them."""
        with self._noting() as said:
            read()
        with self._engine.connect() as connection:
            return sum(_examined(connection, *each) for each in said)

    @contextmanager
    def _noting(self) -> Iterator[list[tuple[str, Any]]]:
        said: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            said.append((statement, parameters))

        event.listen(self._engine, "before_cursor_execute", note)
        try:
            yield said
        finally:
            event.remove(self._engine, "before_cursor_execute", note)


def _examined(connection: Connection, statement: str, parameters: Any) -> int:
    explain = f"explain (analyze, timing off, format json) {statement}"
    plan = connection.exec_driver_sql(explain, parameters).scalar_one()
    return round(sum(_looked_at(node) for node in _nodes(plan[0]["Plan"]) if "Scan" in node["Node Type"]))


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def _looked_at(node: Mapping[str, Any]) -> float:
    """What the scan found, and what it threw away; each descent of an index counts as one."""
    thrown = sum(value for key, value in node.items() if key.startswith("Rows Removed by"))
    return float((node["Actual Rows"] + thrown) * node["Actual Loops"] + node.get("Index Searches", 0))
