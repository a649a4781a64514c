"""Uploads as requests: what they may be, that they happen once, and that they can be cancelled."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, text

Call = Callable[..., Any]
ALEX = "email\nalex@example.com\n"
MEMBER = "email,loyalty_card_id,points\nalex@example.com,12,5\n"


def rows_left(engine: Engine, tenant_id: int) -> int:
    with engine.connect() as connection:
        query = text("select count(*) from import_rows where tenant_id = :t")
        count: int = connection.execute(query, {"t": tenant_id}).scalar_one()
        return count


@contextmanager
def listening(*engines: Engine) -> Iterator[list[tuple[str, Any]]]:
    """All statements that are executed meanwhile, with their parameters."""
    said: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    for engine in engines:
        event.listen(engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", listen)


@pytest.mark.parametrize(
    "options",
    [
        {"media_type": "application/json"},
        {"media_type": "application/vnd.ms-excel"},
        {"media_type": "text/csv; charset=iso-8859-1"},
        {"headers": {"Content-Encoding": "gzip"}},
    ],
)
def test_another_kind_of_file_is_415(upload: Call, options: dict[str, Any]) -> None:
    answer = upload(ALEX, **options)
    assert (answer.status_code, answer.json["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("query", "field"), [("", "type"), ("?type=vouchers", "type")])
def test_the_kind_of_import_must_be_named(upload: Call, query: str, field: str) -> None:
    answer = upload(ALEX, query=query)
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [field])


def test_a_file_over_64_mib_is_413_whether_it_says_so_or_not(call: Call, upload: Call) -> None:
    declared = upload(ALEX, environ_overrides={"CONTENT_LENGTH": str(64 * 1024 * 1024 + 1)})
    assert (declared.status_code, declared.json["error"]["code"]) == (413, "payload_too_large")

    class Endless:
        """A body in pieces, as chunked ones are; it would go on for ever."""

        read_bytes = 0

        def read(self, size: int = -1) -> bytes:
            self.read_bytes += size
            return b"x" * size

    endless = Endless()
    environ = {"wsgi.input": endless, "wsgi.input_terminated": True}
    chunked = call("POST", "/imports?type=customers", content_type="text/csv", environ_overrides=environ)
    assert chunked.status_code == 413
    assert endless.read_bytes < 65 * 1024 * 1024
    assert call("GET", "/imports").json["data"] == []


def test_a_file_that_breaks_off_leaves_nothing(call: Call, upload: Call, engine: Engine, tenant_id: int) -> None:
    assert upload(ALEX, environ_overrides={"CONTENT_LENGTH": "500"}).status_code == 400
    assert call("GET", "/imports").json["data"] == []
    assert rows_left(engine, tenant_id) == 0


def test_the_same_upload_under_one_key_happens_once(call: Call, upload: Call) -> None:
    first = upload(ALEX, key="nightly")
    again = upload(ALEX, key="nightly")
    assert (again.status_code, again.json["data"]) == (201, first.json["data"])
    assert again.headers["Idempotent-Replayed"] == "true"
    other = upload("email\nsam@example.com\n", key="nightly")
    assert (other.status_code, other.json["error"]["reason"]) == (400, "idempotency_key_reused")
    assert len(call("GET", "/imports").json["data"]) == 1


def test_a_key_that_may_not_credit_points_may_not_import_them(
    client: FlaskClient, gateway_token: Callable[..., str], tenant_id: int
) -> None:
    token = gateway_token("customers", tenant_id=tenant_id, scopes=["customers:write"])
    options = {"headers": {"Authorization": f"Bearer {token}"}, "content_type": "text/csv"}
    refused = client.post("/v1/imports?type=customers", data=MEMBER, **options)
    assert (refused.status_code, refused.json["error"]["reason"]) == (403, "insufficient_scope")
    assert client.post("/v1/imports?type=customers", data=ALEX, **options).status_code == 201


def test_what_is_cancelled_makes_nobody_any_more(
    call: Call, upload: Call, work_off: Call, engine: Engine, tenant_id: int
) -> None:
    import_id = upload("email\n" + "".join(f"c{n}@example.com\n" for n in range(6_000))).json["data"]["id"]
    cancelled = call("POST", f"/imports/{import_id}/cancel", key="stop")
    assert (cancelled.status_code, cancelled.json["data"]["job"]["status"]) == (200, "cancelled")
    done = work_off(import_id)
    assert (done["job"]["status"], done["job"]["processed"], done["created_count"]) == ("cancelled", 0, 0)
    assert done["job"]["finished_at"] is not None
    assert rows_left(engine, tenant_id) == 0
    assert call("GET", "/customers").json["data"] == []
    assert call("POST", f"/imports/{import_id}/cancel", key="stop").json["data"] == cancelled.json["data"]
    assert call("POST", f"/imports/{import_id}/cancel").json["data"] == done


def test_rows_of_a_cancelled_import_are_forgotten_without_comparing_them(
    call: Call, upload: Call, work_off: Call, engine: Engine, tenant_id: int
) -> None:
    """A plan that joined those to be deleted with the table took minutes for a large import."""
    import_id = upload("email\nalex@example.com\nsam@example.com\n").json["data"]["id"]
    call("POST", f"/imports/{import_id}/cancel")
    with listening(engine) as said:
        work_off(import_id)
    assert rows_left(engine, tenant_id) == 0
    [(statement, parameters)] = [one for one in said if one[0].startswith("DELETE FROM import_rows")]
    with engine.connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(f"explain {statement}", parameters).scalars())
    assert re.search(r"Index Cond: .*row_number > .* AND \(row_number <= \$", plan), plan
    assert "Join" not in plan
    assert "Nested Loop" not in plan


def test_a_row_that_an_erasure_rewrites_meanwhile_is_forgotten_with_the_others(
    call: Call, upload: Call, work_off: Call, engine: Engine, tenant_id: int
) -> None:
    import_id = upload("email\nalex@example.com\nsam@example.com\n").json["data"]["id"]
    call("POST", f"/imports/{import_id}/cancel")
    rewrite = text("update import_rows set content = null where tenant_id = :t")
    waits = text(
        "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'DELETE FROM import_rows%'"
    )
    with ThreadPoolExecutor(1) as worker:
        with engine.begin() as connection:
            connection.execute(rewrite, {"t": tenant_id})
            forgetting = worker.submit(work_off, import_id)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
                deadline = time.monotonic() + 30
                while looking.execute(waits).first() is None:
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
        forgetting.result()
    assert rows_left(engine, tenant_id) == 0


def test_what_has_ended_is_not_changed_by_cancelling(call: Call, upload: Call, work_off: Call) -> None:
    done = work_off(upload(ALEX).json["data"]["id"])
    cancelled = call("POST", f"/imports/{done['id']}/cancel")
    assert (cancelled.status_code, cancelled.json["data"]) == (200, done)


@pytest.mark.parametrize("path", ["", "/errors.csv", "/cancel"])
def test_another_tenants_import_does_not_exist(call: Call, upload: Call, tenant_id: int, path: str) -> None:
    import_id = upload(ALEX).json["data"]["id"]
    method = "POST" if path == "/cancel" else "GET"
    assert call(method, f"/imports/{import_id}{path}", tenant=tenant_id + 1_000_000).status_code == 404


def test_a_file_of_many_megabytes_is_taken_in_at_constant_memory(upload: Call, call: Call) -> None:
    line = b"member-%07d@example.com,Alexandra Rivera of the quarter by the river\n"
    content = b"email,name\n" + b"".join(line % number for number in range(290_000))
    assert len(content) > 20_000_000
    memory, most, done = resident_bytes, [], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most.append(memory())

    before = memory()
    watcher = threading.Thread(target=watch)
    watcher.start()
    answer = upload(content)
    done.set()
    watcher.join()
    assert answer.json["data"]["job"]["total"] == 290_000
    call("POST", f"/imports/{answer.json['data']['id']}/cancel")
    assert max(most) - before < 12_000_000


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_every_statement_of_an_import_names_its_tenant(
    client: FlaskClient, upload: Call, call: Call, work_off: Call, engine: Engine
) -> None:
    with listening(client.application.extensions["engine"], engine) as said:
        import_id = work_off(upload("email\nalex@example.com\nnobody\n").json["data"]["id"])["id"]
        call("GET", "/imports")
        call("GET", f"/imports/{import_id}/errors.csv")
        call("GET", "/exports/customers.csv")
        call("POST", f"/imports/{import_id}/cancel")
    # A worker takes up whoever's import has waited longest; everything else is one tenant's.
    of_tenants = [statement for statement, _ in said if not statement.startswith("UPDATE imports SET version")]
    assert len(of_tenants) > 10
    named = re.compile(r"tenant_id = %\(tenant_id\)s|SELECT %\(tenant_id\)s::BIGINT|%\(tenant_id\)s::BIGINT = ")
    assert [statement for statement in of_tenants if not named.search(statement)] == []
