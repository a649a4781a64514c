"""Links that let one set a password, once."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from loyalty_gateway.domain import membership
from loyalty_gateway.domain.audit import Occasion

# Sooner than the 5 s for which a gateway would remember what it is not told of.
SOON_S = 3

NEW = "twelve or more of them"


@pytest.fixture
def reset(visitor):
    """``reset(token)`` sets the new password."""
    return lambda token, password=NEW, **headers: visitor.ask(
        "POST", f"/password-resets/{token}", {"password": password}, **headers
    )


@pytest.fixture
def link(visitor, user, link_for):
    """A link that the user asked for."""
    assert visitor.ask("POST", "/password-resets", {"email": user["email"].upper()}).status == 200
    return link_for(user["email"])


def test_a_reset_ends_all_sessions_and_the_old_password(visitor, user, link, reset, until, audited):
    tokens = [visitor.token(user) for _ in range(2)]
    assert all(visitor.ask("GET", "/me", token=token).status == 200 for token in tokens)
    answer = reset(link)
    assert (answer.status, answer.json["data"]["id"]) == (200, user["id"])
    for token in tokens:
        assert until(lambda token=token: visitor.ask("GET", "/me", token=token).status == 401) < SOON_S
    assert visitor.sign_in(user).status == 401
    assert visitor.sign_in(user, password=NEW).status == 201
    assert "user.password_reset" in audited(user["organization_id"])


def test_the_answer_is_the_same_whether_anybody_has_the_address(visitor, user, deliver, change):
    deliver()
    known = visitor.ask("POST", "/password-resets", {"email": user["email"]})
    unknown = visitor.ask("POST", "/password-resets", {"email": "nobody@example.com"})
    assert [answer.status for answer in (known, unknown)] == [200, 200]
    assert known.json["data"] == unknown.json["data"] == {"sent": True}
    assert known.headers.keys() == unknown.headers.keys()
    assert [letter["To"] for letter in deliver()] == [user["email"]]
    change("update users set status = 'disabled' where id = :id", id=user["id"])
    visitor.ask("POST", "/password-resets", {"email": user["email"]})
    assert deliver() == []


def test_nobody_fills_a_mailbox_with_resets(visitor, user):
    for email in (user["email"], "nobody@example.org"):
        answers = [visitor.ask("POST", "/password-resets", {"email": email}) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 60


def test_a_link_works_once(link, reset):
    assert reset(link).status == 200
    again = reset(link, "another password")
    assert (again.status, again.json["error"]["code"]) == (404, "not_found")


def test_of_many_who_use_a_link_at_once_one_is_the_first(visitor, user, link, reset):
    start = threading.Barrier(4)

    def use(number):
        start.wait()
        return reset(link, f"the password of thread {number}").status

    with ThreadPoolExecutor(4) as side_by_side:
        answers = list(side_by_side.map(use, range(4)))
    assert sorted(answers) == [200, 404, 404, 404]
    winner = answers.index(200)
    assert visitor.sign_in(user, password=f"the password of thread {winner}").status == 201


def test_a_link_that_is_used_ends_the_others(visitor, user, link, link_for, reset):
    visitor.ask("POST", "/password-resets", {"email": user["email"]})
    second = link_for(user["email"])
    assert reset(second).status == 200
    assert reset(link).status == 404


def test_no_link_goes_to_an_address_that_is_being_given_up(visitor, user, engine, deliver, reset, until):
    """The mail is written while the change of address is not committed yet: it waits for it."""
    deliver()
    visitor.ask("POST", "/password-resets", {"email": user["email"]})
    new = f"new.{user['email']}"
    with ThreadPoolExecutor(1) as aside, engine.begin() as connection:
        before = membership.locked(connection, organization_id=user["organization_id"], user_id=user["id"])
        occasion = Occasion.of_operator(datetime.now(UTC))
        membership.change(connection, before, changes={"email": new}, occasion=occasion)
        sending = aside.submit(deliver)
        until(lambda: sending.done() or waits_for_a_lock(engine))
        connection.commit()
        letters = sending.result(30)
    assert [letter["To"] for letter in letters] == [new]
    token = re.search(r"/password-resets/(\S+)", letters[0].get_content())[1]
    assert reset(token).status == 200


def waits_for_a_lock(engine):
    with engine.connect() as connection:
        waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%users%'")
        return connection.execute(waiting).scalar_one()


def test_a_link_lasts_for_a_while(link, reset, user, change):
    change("update one_time_links set expires_at = now() where user_id = :id", id=user["id"])
    assert reset(link).status == 404


def test_whoever_was_disabled_since_cannot_come_back_by_a_link(link, reset, user, change):
    change("update users set status = 'disabled' where id = :id", id=user["id"])
    assert reset(link).status == 404


def test_a_password_that_is_too_short_does_not_spend_the_link(link, reset):
    refused = reset(link, "short")
    assert (refused.status, list(refused.json["error"]["details"])) == (400, ["password"])
    assert reset(link).status == 200


@pytest.mark.parametrize("password", [NEW, "short"])
def test_a_link_of_nobodys_is_nothing_whatever_the_password(reset, password):
    assert reset("A" * 43, password).status == 404


def test_a_reset_that_is_repeated_with_its_key_answers_the_same(link, reset):
    first = reset(link, Idempotency_Key="my reset")
    again = reset(link, Idempotency_Key="my reset")
    assert (again.status, again.json["data"]) == (200, first.json["data"])
    assert again.headers["idempotent-replayed"] == "true"


def test_a_password_is_taken_as_it_was_typed(visitor, user, link, reset):
    assert reset(link, "  spaces around it  ").status == 200
    assert visitor.sign_in(user, password="spaces around it").status == 401
    assert visitor.sign_in(user, password="  spaces around it  ").status == 201


def test_no_link_is_kept_or_logged(visitor, user, link, reset, engine, door, account_api):
    reset(link)
    with engine.connect() as connection:
        tables = ("one_time_links", "mails", "audit_entries", "idempotency")
        kept = str([connection.execute(text(f"select * from {table}")).all() for table in tables])
    assert link not in kept + door.log() + account_api[1].read_text()
    assert NEW not in kept + door.log() + account_api[1].read_text()
