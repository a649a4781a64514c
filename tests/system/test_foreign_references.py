"""Naming what is another organization's: in any field of any body and in any filter of the OpenAPI, it is nobody's."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

# What names something that exists. A new name that ends like this is tried, or fails for want of something to name.
NAMING = re.compile(r"(^|_)(ids?|email|code|number|identifier)$")
# Fields by which a caller gives a name to what is his.
GIVEN = {
    "POST /customers": {"email", "external_id"},
    "PATCH /customers/{customer_id}": {"email", "external_id"},
    "POST /loyalty-cards": {"card_identifier"},
    "PATCH /loyalty-cards/{card_id}": {"card_identifier"},
    "POST /vouchers": {"voucher_code"},
    "PATCH /vouchers/{voucher_id}": {"voucher_code"},
    "POST /users": {"email"},
    "PATCH /users/{user_id}": {"email"},
    "POST /organizations": {"owner.email"},
    # Whose it is, is not told: see the gateway's own tests.
    "POST /sessions": {"email"},
    "POST /password-resets": {"email"},
}
NOT_READ = {
    # Receipts are compared as they are; who is meant counts when the missing ones are posted (see the last test).
    ("POST /reconciliations", "entries.0.customer_id"),
    ("POST /reconciliations", "entries.0.customer_email"),
    # All milestones of a new program are new.
    ("POST /referral-programs", "milestones.0.id"),
}
NOBODYS: dict[str, Any] = {
    "customer_email": "nobody@example.com",
    "email": "nobody@example.com",
    "identifier": "nobody@example.com",
    "external_id": "crm-nobody",
    "event_id": "88888888-8888-4888-8888-888888888888",
    "member_number": "0000-0000-0000",
    "claim_code": "CLM-0000-0000",
    "voucher_code": "CODE-nobody",
    "referral_code": "NOBODY-0000",
}
QUIET = "select not exists (select from outbox)"
TABLES = "select table_name from information_schema.columns where column_name = 'tenant_id' and table_schema = 'public'"
ROWS = "select md5(string_agg(t::text, '|' order by t::text)) from {} t where tenant_id = any(%s)"


class Place(NamedTuple):
    """Where an operation is told an id: a parameter of its query, or a field of its body by the way there."""

    operation: str
    where: str
    way: tuple[Any, ...]

    @property
    def field(self) -> str:
        """As refusals name it."""
        return ".".join(map(str, self.way))

    @property
    def noun(self) -> str:
        """As all of the API calls what is named: the ``id`` of one of ``milestones`` is a ``milestone_id``."""
        *_, owner, _, name = (None, None, *self.way)
        return f"{owner.removesuffix('s')}_id" if owner and name == "id" else str(name)


def fields_of(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The way to every field of a body, through lists and objects inside."""
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    for choice in [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]:
        yield from fields_of(choice, document)
    if "items" in schema:
        yield from ((0, *below) for below in fields_of(schema["items"], document))
    for name, inner in schema.get("properties", {}).items():
        yield (name,)
        yield from ((name, *below) for below in fields_of(inner, document))


def places(document: Mapping[str, Any]) -> Iterator[Place]:
    for path, item in document["paths"].items():
        for method, spec in item.items():
            if method == "parameters":
                continue
            operation = f"{method.upper()} {path}"
            for parameter in spec.get("parameters", []):
                if parameter["in"] == "query":
                    yield Place(operation, "query", (parameter["name"],))
            for content in spec.get("requestBody", {}).get("content", {}).values():
                yield from (Place(operation, "body", way) for way in fields_of(content["schema"], document))


def naming(document: Mapping[str, Any]) -> list[Place]:
    found = [place for place in places(document) if NAMING.search(place.noun)]
    return [
        place
        for place in found
        if place.field not in GIVEN.get(place.operation, ()) and (place.operation, place.field) not in NOT_READ
    ]


class Caller:
    """Sends what an organization would send to an operation, but for one id."""

    def __init__(self, api: Any, ids: Mapping[str, Any], bodies: Mapping[str, Any]) -> None:
        self._api, self._ids, self._bodies = api, ids, bodies

    def say(self, place: Place, named: Any) -> Any:
        method, path = place.operation.split()
        path = path.format_map(self._ids)
        if place.where == "query":
            return self._api.call(method, path, params={place.field: named})
        assert place.operation in self._bodies, f"say in bodies what a good body of {place.operation} is"
        body = deepcopy(self._bodies[place.operation])
        inner = body
        for step in place.way[:-1]:
            inner = inner[step]
        if place.noun == "customer_id":
            inner.pop("customer_email")
        inner[place.way[-1]] = named
        return self._api.call(method, path, body)


def said(response: Any) -> Any:
    """The answer without what differs from call to call."""
    if response.headers["Content-Type"] != "application/json":
        return response.status_code, response.text
    answer = response.json()
    return response.status_code, answer.get("error", answer.get("data"))


def chosen(place: Place, response: Any) -> list[Any]:
    """What a filter left: rows of a list or a file, or figures that are not zero."""
    if place.operation.endswith(".csv"):
        return list(response.text.splitlines()[1:])
    data = response.json()["data"]
    return data if isinstance(data, list) else [value for value in data["totals"].values() if value not in (0, "0.00")]


def is_nobodys(place: Place, response: Any) -> bool:
    """Refused under the field; where it chooses among what is there, nothing was chosen."""
    if response.status_code == 200 and place.where == "query":
        return not chosen(place, response)
    if place.operation == "GET /customers/lookup":
        return bool(response.status_code == 404)
    return response.status_code == 400 and place.field in response.json()["error"]["details"]


@pytest.fixture
def rows_of(suite: Any) -> Iterator[Callable[[Any], dict[str, str]]]:
    """All rows of an organization's tenants, as a digest per table, once nothing of them is on its way any more."""
    urls = suite.layout.database_urls
    connections = {service: psycopg.connect(url, autocommit=True) for service, url in urls.items()}

    def read(merchant: Any) -> dict[str, str]:
        wait_until_quiet(connections)
        query = "select array_agg(id) from tenants where organization_id = %s"
        tenants = connections["gateway"].execute(query, [merchant.organization_id]).fetchone()
        digests = {}
        for service, connection in connections.items():
            for (table,) in connection.execute(TABLES).fetchall():
                found = connection.execute(sql.SQL(ROWS).format(sql.Identifier(table)), tenants).fetchone()
                digests[f"{service}.{table}"] = found[0] if found else None
        return {table: digest for table, digest in digests.items() if digest}

    yield read
    for connection in connections.values():
        connection.close()


def wait_until_quiet(connections: Mapping[str, psycopg.Connection[Any]], *, within_s: float = 60) -> None:
    quiet = {"customers": f"{QUIET} and not exists (select from imports where due_at is not null)"}
    deadline = time.monotonic() + within_s
    for service in ("customers", "programs", "vouchers"):
        while connections[service].execute(quiet.get(service, QUIET).encode()).fetchone() != (True,):
            assert time.monotonic() < deadline, f"{service} is not done"
            time.sleep(0.05)


def test_what_is_theirs_cannot_be_named_anywhere(
    suite: Any, found_merchant: Any, document: dict[str, Any], own_everything: Any, bodies: Any, rows_of: Any
) -> None:
    they, me = found_merchant(suite), found_merchant(suite)
    theirs, mine = own_everything(they, "theirs"), own_everything(me, "mine")
    caller = Caller(me.api, mine, bodies(mine))
    before = rows_of(they)
    assert len(before) > 20, "otherwise this test looks in the wrong places"
    found = naming(document)
    assert len(found) > 60
    for place in found:
        assert place.noun in theirs, f"let own_everything make something that {place} can name"
        foreign = caller.say(place, theirs[place.noun])
        assert is_nobodys(place, foreign), f"{place}: {foreign.status_code} {foreign.text}"
        nobody = caller.say(place, NOBODYS.get(place.noun, 888_888_888_888))
        assert said(foreign) == said(nobody), place
        # It was that id and nothing else that was refused.
        own = caller.say(place, mine[place.noun])
        assert own.status_code in (200, 201), f"{place}: {own.status_code} {own.text}"
    assert rows_of(they) == before


def test_a_receipt_of_somebody_elses_customer_is_not_posted(
    suite: Any, found_merchant: Any, own_everything: Any, bodies: Any, rows_of: Any
) -> None:
    they, me = found_merchant(suite), found_merchant(suite)
    theirs, mine = own_everything(they, "theirs"), own_everything(me, "mine")
    before = rows_of(they)
    for name in ("customer_id", "customer_email"):
        sent = bodies(mine)["POST /reconciliations"]
        sent["entries"] = [{"reference": name, "amount": 5, "currency": "USD", name: theirs[name]}]
        made = me.api.data("POST", "/reconciliations", sent)
        assert [entry["status"] for entry in made["entries"]] == ["missing"]
        path = f"/reconciliations/{made['id']}"
        me.api.data("POST", f"{path}/apply")
        deadline = time.monotonic() + 60
        while (applied := me.api.data("GET", path))["status"] != "applied":
            assert time.monotonic() < deadline, applied
            time.sleep(0.05)
        [entry] = applied["entries"]
        assert (entry["applied_transaction_id"], entry["error"]) == (None, "customer_not_found")
    assert rows_of(they) == before
