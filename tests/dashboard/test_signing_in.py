"""Who gets in, what a cookie is worth, and what a form that somebody else made is not."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.people import PASSWORD, new_person, seals_of


def test_whoever_is_not_signed_in_is_asked_to_and_comes_back_to_where_he_wanted(visit, owner):
    stranger = visit()
    page = stranger.open("/dashboard?from=mail")
    assert page.url.endswith("/dashboard/sign-in?next=/dashboard?from%3Dmail")

    page = stranger.send(page.form(), email=owner.email, password=PASSWORD)
    assert page.url.endswith("/dashboard?from=mail")
    assert stranger.open("/dashboard/sign-in").url.endswith("/dashboard")


@pytest.mark.parametrize("target", ["https://evil.example/dashboard", "//evil.example/dashboard", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(visit, owner, target):
    stranger = visit()
    page = stranger.open("/dashboard/sign-in", params={"next": target})
    page = stranger.send(page.form(), next=target, email=owner.email, password=PASSWORD)
    assert page.url == f"{stranger.base_url}/dashboard"


def test_a_cookie_from_before_the_sign_in_opens_nothing_after_it(visit, owner):
    victim, attacker = visit(), visit()
    attacker.open("/dashboard/sign-in")
    victim.session.cookies.update(attacker.session.cookies)
    planted = attacker.session.cookies["loyalty"]

    victim.sign_in(owner.email, PASSWORD)

    assert victim.session.cookies["loyalty"] != planted
    assert attacker.open("/dashboard").url.endswith("/dashboard/sign-in?next=/dashboard")


def test_a_form_from_before_the_sign_in_is_worth_nothing_after_it(visit, owner):
    visitor = visit()
    token = visitor.open("/dashboard/sign-in").form().fields["csrf_token"]
    visitor.sign_in(owner.email, PASSWORD)
    assert visitor.post("/dashboard/mode", mode="test", csrf_token=token).status == 400


def test_signing_out_ends_the_session_for_whoever_has_kept_the_cookie(arrive, visit):
    visitor, thief = arrive(), visit()
    thief.session.cookies.update(visitor.session.cookies)
    home = thief.open("/dashboard")
    assert home.url.endswith("/dashboard")

    page = visitor.send(visitor.open("/dashboard").form("/sign-out"))

    assert page.url.endswith("/dashboard/sign-in")
    assert visitor.open("/dashboard").url.endswith("/dashboard/sign-in?next=/dashboard")
    assert thief.send(home.form("/mode"), mode="test").url.endswith("/dashboard/sign-in")


@pytest.mark.parametrize("path", ["/dashboard/sign-in", "/dashboard/sign-out", "/dashboard/mode"])
def test_a_form_that_is_not_ours_is_not_taken(arrive, path):
    visitor = arrive()
    assert visitor.post(path).status == 400
    other = arrive().open("/dashboard").form("/mode").fields["csrf_token"]
    assert visitor.post(path, csrf_token=other, mode="test").status == 400


def test_live_and_test_data_are_a_click_apart(arrive):
    visitor = arrive()
    page = visitor.open("/dashboard")
    assert "Test data." not in page.text
    page = visitor.send(page.form("/mode"), mode="test")
    assert "Test data." in page.text
    page = visitor.send(page.form("/mode"), mode="live")
    assert "Test data." not in page.text


def test_a_session_that_is_worked_with_is_renewed_and_the_old_one_ends(suite, arrive):
    visitor = arrive()
    seals = seals_of(suite)
    kept = seals.opened(visitor.session.cookies["loyalty"])
    old = kept["signed_in"]["token"]
    kept["signed_in"]["began_at"] = (datetime.now(UTC) - timedelta(minutes=21)).isoformat()
    visitor.session.cookies.set("loyalty", seals.sealed(kept), domain="127.0.0.1", path="/")

    assert visitor.open("/dashboard").status == 200

    renewed = seals.opened(visitor.session.cookies["loyalty"])["signed_in"]
    assert renewed["token"] != old
    assert me(suite, old).status_code == 401
    assert me(suite, renewed["token"]).status_code == 200


def test_whoever_guesses_too_often_is_sent_away_for_a_while(suite, merchant, visit):
    person, stranger = new_person(suite, merchant.organization_id), visit()
    pages = [stranger.sign_in(person.email, "a guess") for _ in range(12)]
    assert {page.status for page in pages} == {401, 429}
    page = pages[-1]
    assert "Try again in" in page.text


def test_no_answer_lets_a_browser_run_or_frame_what_is_not_ours(visit, arrive):
    headers = arrive().open("/dashboard").response.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    cookie = visit().open("/dashboard/sign-in").response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def me(suite, token):
    return requests.get(f"{suite.base_url}/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
