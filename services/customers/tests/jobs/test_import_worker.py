"""Workers side by side, late ones, and what they wait for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common.database import perform, transaction
from loyalty_common.service_client import ServiceClient
from loyalty_customers.domain import import_batches, import_queue
from loyalty_customers.jobs import all_jobs
from loyalty_customers.jobs.imports import step
from loyalty_testing.keys import IdentityKeys

Call = Callable[..., Any]
MEMBER = "email,loyalty_card_id,points\nalex@example.com,12,5\n"


@pytest.fixture(autouse=True)
def _nothing_else_is_due(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update imports set due_at = null"))


@pytest.fixture
def programs(identity_keys: IdentityKeys) -> ServiceClient:
    """A programs service that is down."""
    return ServiceClient("http://127.0.0.1:1", audience="programs", signer=identity_keys.signer("customers"))


def people(numbers: range) -> str:
    return "email\n" + "".join(f"member{number}@example.com\n" for number in numbers)


def set_back(engine: Engine, import_id: int, changes: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"update imports set {changes} where id = :id"), {"id": import_id})


def count(engine: Engine, table: str, tenant_id: int) -> int:
    with engine.connect() as connection:
        found: int = connection.execute(
            text(f"select count(*) from {table} where tenant_id = :t"), {"t": tenant_id}
        ).scalar_one()
        return found


def test_four_workers_at_files_that_share_their_people_make_each_once(
    call: Call, upload: Call, engine: Engine, tenant_id: int, programs: ServiceClient
) -> None:
    sent = [upload(people(numbers)).json["data"]["id"] for numbers in (range(2_000), range(1_999, -1, -1))]

    def work(_: int) -> None:
        while step(engine, programs):
            pass

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    done = [call("GET", f"/imports/{import_id}").json["data"] for import_id in sent]
    assert [one["job"]["succeeded"] for one in done] == [2_000, 2_000]
    assert sum(one["created_count"] for one in done) == 2_000
    assert count(engine, "customers", tenant_id) == count(engine, "outbox", tenant_id) == 2_000
    assert count(engine, "import_rows", tenant_id) == 0


def test_imports_take_turns_so_that_a_large_one_holds_up_nobody(
    call: Call, upload: Call, engine: Engine, programs: ServiceClient
) -> None:
    large, small = (upload(people(numbers)).json["data"]["id"] for numbers in (range(5_000), range(5)))
    for _ in range(4):
        step(engine, programs)
    assert call("GET", f"/imports/{small}").json["data"]["job"]["status"] == "succeeded"
    assert call("GET", f"/imports/{large}").json["data"]["job"]["processed"] in (500, 1_000)
    call("POST", f"/imports/{large}/cancel")
    while step(engine, programs):
        pass


def test_what_a_dead_worker_held_is_taken_up_when_its_lease_ends_and_a_late_one_changes_nothing(
    call: Call, upload: Call, engine: Engine, tenant_id: int, programs: ServiceClient
) -> None:
    import_id = upload(people(range(10))).json["data"]["id"]
    with engine.begin() as connection:
        late = import_queue.take(connection)
    assert late is not None
    assert late.id == import_id
    assert not step(engine, programs)  # the lease holds
    set_back(engine, import_id, "due_at = now()")
    while step(engine, programs):
        pass
    before = call("GET", f"/imports/{import_id}").json["data"]
    with transaction(engine, tenant_id) as tx:
        assert not import_queue.holds(tx, late)
    assert before["job"]["succeeded"] == count(engine, "customers", tenant_id) == 10


def test_a_cancellation_between_taking_and_writing_is_heeded(
    call: Call, upload: Call, engine: Engine, tenant_id: int, programs: ServiceClient
) -> None:
    import_id = upload(people(range(10))).json["data"]["id"]
    with engine.begin() as connection:
        taken = import_queue.take(connection)
    assert taken is not None
    call("POST", f"/imports/{import_id}/cancel")
    with transaction(engine, tenant_id) as tx:
        assert not import_queue.holds(tx, taken)
    while step(engine, programs):
        pass
    assert count(engine, "customers", tenant_id) == count(engine, "import_rows", tenant_id) == 0


def test_while_programs_is_down_the_import_waits_and_no_row_fails(
    call: Call, upload: Call, engine: Engine, tenant_id: int, programs: ServiceClient
) -> None:
    import_id = upload(MEMBER).json["data"]["id"]
    while step(engine, programs):
        pass
    job = call("GET", f"/imports/{import_id}").json["data"]["job"]
    assert (job["status"], job["processed"], job["failed"]) == ("running", 0, 0)
    assert count(engine, "customers", tenant_id) == 1
    # Cancelled, it still owes the balance of the customer who is there.
    call("POST", f"/imports/{import_id}/cancel")
    assert step(engine, programs)
    [left] = _rows(engine, tenant_id)
    assert left.customer_id is not None
    set_back(engine, import_id, "due_at = null")


def test_a_customer_who_is_erased_before_his_balance_gets_none(
    call: Call, upload: Call, engine: Engine, tenant_id: int, programs: ServiceClient
) -> None:
    import_id = upload(MEMBER).json["data"]["id"]
    step(engine, programs)
    with engine.begin() as connection:
        erased = "update import_rows set content = null, email_key = null where tenant_id = :t"
        connection.execute(text(erased), {"t": tenant_id})
    while step(engine, programs):
        pass
    done = call("GET", f"/imports/{import_id}").json["data"]
    assert (done["job"]["status"], done["job"]["failed"]) == ("succeeded", 1)
    lines = call("GET", f"/imports/{import_id}/errors.csv").text.splitlines()
    assert lines[1] == "2,email,The customer was erased before this row was imported.,,,"


def test_erasing_a_customer_takes_his_words_out_of_rows_that_failed(
    call: Call, upload: Call, engine: Engine, tenant_id: int, work_off: Call
) -> None:
    customer_id = call("POST", "/customers", {"email": "alex@example.com"}).json["data"]["id"]
    content = "email,name,phone\nalex@example.com,Alex Rivera,12\n"
    import_id = work_off(upload(content).json["data"]["id"])["id"]
    call("DELETE", f"/customers/{customer_id}")
    [left] = _rows(engine, tenant_id)
    assert (left.content, left.email_key) == (None, None)
    lines = call("GET", f"/imports/{import_id}/errors.csv").text.splitlines()
    assert lines[1:] == ["2,email,The customer was erased before this row was imported.,,,"]


def test_an_address_that_is_passing_on_is_waited_for(
    call: Call, upload: Call, engine: Engine, tenant_id: int, programs: ServiceClient
) -> None:
    customer_id = call("POST", "/customers", {"email": "alex@example.com"}).json["data"]["id"]
    call("DELETE", f"/customers/{customer_id}")
    import_id = upload("email\nalex@example.com\n").json["data"]["id"]
    while step(engine, programs):
        pass
    assert call("GET", f"/imports/{import_id}").json["data"]["job"]["processed"] == 0
    with engine.begin() as connection:
        connection.execute(text("delete from outbox where tenant_id = :t"), {"t": tenant_id})
    set_back(engine, import_id, "due_at = now()")
    while step(engine, programs):
        pass
    assert call("GET", f"/imports/{import_id}").json["data"]["job"]["succeeded"] == 1


def test_an_import_that_gets_nowhere_is_given_up_and_says_so(
    call: Call, upload: Call, engine: Engine, tenant_id: int, programs: ServiceClient
) -> None:
    import_id = upload(people(range(10))).json["data"]["id"]
    set_back(engine, import_id, "attempts = 20")
    while step(engine, programs):
        pass
    job = call("GET", f"/imports/{import_id}").json["data"]["job"]
    assert (job["status"], job["processed"]) == ("failed", 0)
    assert "given up" in job["error"]
    assert job["finished_at"] is not None
    assert count(engine, "customers", tenant_id) == count(engine, "import_rows", tenant_id) == 0


def test_rows_that_failed_are_kept_for_thirty_days(
    call: Call, upload: Call, engine: Engine, tenant_id: int, work_off: Call
) -> None:
    import_id = work_off(upload("email\nnobody\n").json["data"]["id"])["id"]
    prune = all_jobs(engine)["prune_import_errors"]
    prune()
    assert count(engine, "import_rows", tenant_id) == 1
    with engine.begin() as connection:
        old = text("update import_rows set failed_at = now() - interval '31 days' where import_id = :id")
        connection.execute(old, {"id": import_id})
    prune()
    assert count(engine, "import_rows", tenant_id) == 0


def test_a_lost_answer_to_the_commit_of_a_batch_books_it_once(
    call: Call, upload: Call, engine: Engine, tenant_id: int
) -> None:
    import_id = upload(people(range(3))).json["data"]["id"]
    with engine.begin() as connection:
        taken = import_queue.take(connection)
    assert taken is not None

    def batch(tx: Any) -> None:
        if import_queue.holds(tx, taken):
            import_batches.record_customers(tx, taken, at=datetime.now(UTC))

    for _ in range(2):  # the second is what perform does when nobody told it that the first was committed
        perform(engine, tenant_id, batch)
    found = call("GET", f"/imports/{import_id}").json["data"]
    assert (found["created_count"], found["job"]["succeeded"]) == (3, 3)
    set_back(engine, import_id, "due_at = null")


def _rows(engine: Engine, tenant_id: int) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text("select * from import_rows where tenant_id = :t"), {"t": tenant_id}))
