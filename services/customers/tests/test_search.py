"""A search finds the same customers with the index of trigrams, without it, and in the words of its contract."""

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from loyalty_common.database import Transaction
from loyalty_customers.domain import searching
from loyalty_customers.domain.profiles import phone_digits

Call = Callable[..., Any]
PEOPLE = [
    ("Alex Rivera", "alex@example.com", "+15551234567"),
    ("ALEXANDRA O'Neil", "o_neil@example.com", None),
    ("Zoë 100% Müller", "zoe@example.com", "+4930901820"),
    ("STRASSE", "gasse@example.com", None),
    ("back\\slash/slash", "back@example.com", None),
    ("Eﬃe Sunﬁsh", "sunny+fish@example.com", "+15550001000"),
    ("Ａｌｅｘ Ｗｉｄｅ", "wide@example.com", None),
    ("İpek Σίσυφος", "ipek@example.com", "+905551234"),
    ("Иван Грозный", "ivan@example.com", None),
    ("田中 太郎", "tanaka@example.com", "+81355512345"),
    (None, "nameless.5551234@example.org", None),
]
TERMS = [
    *("alex", "ALEX", "ale", "al", "a", "xrivera", "x ri", "rivera", "alex rivera", "  alex  ", "nobody"),
    *("%", "_", "%%%", "___", "a%e", "100%", "00% m", "o_n", "o_neil@exam", "back\\", "\\sl", "h/s", "\\", "/", "'"),
    *(
        "zoë",
        "zoe\u0308",
        "ZOË",
        "zoe",
        "müller",
        "straße",
        "strasse",
        "sunfish",
        "ﬁsh",
        "ﬁ",
        "effie",
        "ａｌｅｘ",
        "wide",
    ),
    *("ipek", "i\u0307pek", "σίσυφος", "ΣΊΣΥΦΟΣ", "грозн", "ИВАН", "田中", "中 太", "田中 太郎"),
    *("5551234", "(555) 123", "+1 555", "555", "55", "5", "+", "90 18", "1000", "555-1234"),
    *("@example.com", "ex@ex", "alex@example.com", "lex@example.co", "lex@example.xy", "@", "a@", "a@e", "com"),
    *("sunny+fish@", "fish@example.com", "nameless.5551234@example.org", "1234@example.org"),
]
FILTERS = {"updated_since": None, "email": None, "external_id": None, "ids": None}


def plain(words: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).casefold())


def expected(term: str) -> set[str]:
    digits = phone_digits(term.strip())
    return {
        email
        for name, email, phone in PEOPLE
        if plain(term.strip()) in f"{plain(name or '')}\n{plain(email)}" or (digits and phone and digits in phone)
    }


@pytest.fixture
def people(call: Call) -> None:
    for name, email, phone in PEOPLE:
        assert call("POST", "/customers", {"name": name, "email": email, "phone": phone}).status_code == 201


@contextmanager
def without(engine: Engine, *indexes: str) -> Iterator[Connection]:
    """A connection that lacks these indexes, and reads no table from end to end where it has another way."""
    with engine.connect() as connection:
        for index in indexes:
            connection.execute(text(f"drop index {index}"))
        connection.execute(text("alter table customers drop constraint pk_customers"))
        connection.execute(text("set local enable_seqscan = off"))
        yield connection
        connection.rollback()


def found(connection: Connection, tenant_id: int, term: str) -> set[str]:
    rows, _ = searching.matching(Transaction(connection, tenant_id), {**FILTERS, "search": term.strip()})
    return {row.email for row in connection.execute(rows, {"tenant_id": tenant_id})}


@pytest.fixture
def indexed(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.execute(text("select to_regclass('ix_customers_search')")).scalar() is None:
            pytest.skip("this PostgreSQL has no pg_trgm and btree_gin")


@pytest.mark.parametrize("term", TERMS)
def test_a_term_finds_whom_it_is_a_part_of(people: None, call: Call, term: str) -> None:
    answer = call("GET", "/customers", query_string={"search": term, "per_page": 100})
    assert {customer["email"] for customer in answer.json["data"]} == expected(term)
    assert answer.json["meta"]["total"] == len(expected(term))


def test_the_index_finds_whom_reading_everybody_finds(
    indexed: None, people: None, engine: Engine, tenant_id: int
) -> None:
    with without(engine, *_OTHERS) as connection:
        by_index = {term: found(connection, tenant_id, term) for term in TERMS}
    with without(engine, *_OTHERS, "ix_customers_search") as connection:
        by_reading = {term: found(connection, tenant_id, term) for term in TERMS}
    assert by_index == by_reading == {term: expected(term) for term in TERMS}


@pytest.mark.parametrize("term", ["rivera", "alex@example.com"])
def test_the_index_is_asked_for_the_tenant_and_the_term(
    indexed: None, people: None, engine: Engine, tenant_id: int, term: str
) -> None:
    said: list[tuple[str, Any]] = []
    with without(engine, *_OTHERS) as connection:
        event.listen(connection, "before_cursor_execute", lambda _c, _s, sql, values, *_: said.append((sql, values)))
        found(connection, tenant_id, term)
        sql, values = next(one for one in said if one[0].startswith("SELECT"))
        plan = list(connection.exec_driver_sql(f"explain {sql}", values).scalars())
    conditions = [line for line in plan if "Index Cond" in line]
    assert len(conditions) == 1, plan
    assert all("tenant_id = " in condition and "~~" in condition for condition in conditions), conditions


def test_every_term_is_planned_for_itself_however_often_there_was_another(
    people: None, engine: Engine, tenant_id: int
) -> None:
    with engine.begin() as connection:
        for term in TERMS[:30]:
            found(connection, tenant_id, term)
        plans = connection.execute(text(_PLANS)).one()
    assert (plans.customs > 20, plans.generics) == (True, 0)


_PLANS = """
    select sum(custom_plans) as customs, sum(generic_plans) as generics from pg_prepared_statements
     where statement like '%search_text%'
"""
_OTHERS = [
    *("ix_customers_newest", "ix_customers_updated", "ix_customers_phone"),
    *("ux_customers_email_key", "ux_customers_external_id"),
]


def test_a_list_is_the_same_whether_few_or_many_are_found(call: Call, engine: Engine, tenant_id: int) -> None:
    with engine.begin() as connection:
        connection.execute(_MANY, {"tenant_id": tenant_id, "count": 1_100})
    for term, total in (("guest", 1_100), ("guest 10", 111), ("guest 107", 11)):
        listed = call("GET", "/customers", query_string={"search": term, "per_page": 3}).json
        assert listed["meta"]["total"] == total
        walked, query = [], f"search={term}&per_page=100&cursor="
        while query:
            page = call("GET", f"/customers?{query}").json
            walked += [customer["id"] for customer in page["data"]]
            query = (page["links"]["next"] or "").partition("?")[2]
        assert walked == sorted(set(walked), reverse=True)
        assert len(walked) == total
        assert [customer["id"] for customer in listed["data"]] == walked[:3]


_MANY = text("""
    insert into customers
        (tenant_id, id, version, name, email, email_key, metadata, search_text, created_at, updated_at)
    select :tenant_id, n, 1, 'Guest ' || n, n || '@example.com', n || '@example.com', '{}',
           'guest ' || n || chr(10) || n || '@example.com', to_timestamp(n), to_timestamp(:count + 1 - n)
    from generate_series(1, :count) as n
""")


def test_a_list_since_a_moment_has_what_was_changed_since(call: Call, engine: Engine, tenant_id: int) -> None:
    with engine.begin() as connection:
        connection.execute(_MANY, {"tenant_id": tenant_id, "count": 1_100})
    for since, total, newest in (("1970-01-01T00:00:00+00:00", 1_100, 1_100), ("1970-01-01T00:18:00+00:00", 21, 21)):
        listed = call("GET", "/customers", query_string={"updated_since": since}).json
        assert (listed["meta"]["total"], listed["data"][0]["id"]) == (total, newest)


def test_an_email_and_an_external_id_are_matched_whole(call: Call) -> None:
    for name, crm in (("alex", "crm-1"), ("alexa", "crm-10"), ("sam", None)):
        call("POST", "/customers", {"email": f"{name}@example.com", "external_id": crm})

    def emails(**query: str) -> list[str]:
        return [customer["email"] for customer in call("GET", "/customers", query_string=query).json["data"]]

    assert emails(email="ALEX@example.com") == emails(external_id="crm-1") == ["alex@example.com"]
    assert emails(external_id="CRM-1") == emails(external_id="crm") == emails(email="lex@example.com") == []
    assert emails(external_id="crm-1", search="alexa") == []
    assert call("GET", "/customers?email=alex").status_code == 400


@pytest.mark.parametrize("term", ["%00", "a%00b", "%01", "%ff", "%ed%a0%80"])
def test_a_term_of_no_characters_is_no_failure_of_ours(call: Call, term: str) -> None:
    assert call("GET", f"/customers?search={term}").status_code in (200, 400)


def test_several_customers_are_had_by_their_ids_at_once(call: Call) -> None:
    ids = [
        call("POST", "/customers", {"email": f"{name}@example.com"}).json["data"]["id"]
        for name in ("alex", "sam", "kim")
    ]

    def found(wanted: str) -> list[int]:
        return [customer["id"] for customer in call("GET", f"/customers?ids={wanted}").json["data"]]

    assert found(f"{ids[0]},{ids[2]},{ids[2] + 1000}") == [ids[2], ids[0]]
    assert call("GET", f"/customers?ids={ids[1]}").json["meta"]["total"] == 1
    for wrong in ("alex", "1,", ",", "1,,2", "1;2", "1" * 19, ",".join(["1"] * 101)):
        refused = call("GET", f"/customers?ids={wrong}")
        assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["ids"])
