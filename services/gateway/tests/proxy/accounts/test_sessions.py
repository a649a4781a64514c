"""Signing in, going on and signing out, through the one door."""

import statistics
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from loyalty_common.idempotency import fingerprint
from loyalty_common.identity import TokenVerifier
from loyalty_gateway.domain.keys import checksum

# Sooner than the 5 s for which a gateway would remember what it is not told of.
SOON_S = 3

CARDS = "/loyalty-cards"


def test_a_session_stands_in_place_of_a_key(visitor, user):
    answer = visitor.sign_in(user)
    assert answer.status == 201
    session = answer.json["data"]
    assert session.keys() == {"token", "expires_at", "mode", "user", "organization"}
    assert session["token"].startswith("lps_")
    assert session["user"] == {
        "id": user["id"],
        "name": "Robin Owner",
        "email": user["email"],
        "role": "owner",
        "status": "active",
        "last_signed_in_at": session["user"]["last_signed_in_at"],
        "created_at": user["created_at"],
    }
    lives = datetime.fromisoformat(session["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < lives <= timedelta(minutes=60)

    me = visitor.ask("GET", "/me", token=session["token"]).json["data"]
    assert (me["user"], me["api_key"], me["mode"]) == (session["user"], None, "live")
    assert me["organization"] == session["organization"]


def test_the_services_are_told_who_signed_in_and_in_which_mode(
    visitor, new_organization, new_user, upstream, identity_keys
):
    organization = new_organization()
    user = new_user("manager", organization["id"])
    verifier = TokenVerifier("programs", identity_keys.public_keys)
    for mode in ("live", "test"):
        assert visitor.ask("GET", CARDS, token=visitor.token(user, mode=mode)).status == 200
        identity = verifier.verify(upstream.received.pop().headers["authorization"])
        assert (identity.actor_type, identity.actor_id, identity.source) == ("user", user["id"], "dashboard")
        assert identity.tenant_id == organization["tenants"][mode]
        assert "programs:write" in identity.scopes
        assert "keys:read" not in identity.scopes


def test_nobody_learns_which_of_e_mail_and_password_was_wrong(visitor, new_user, change):
    user, disabled, invited = new_user(), new_user(), new_user()
    change("update users set status = 'disabled' where id = :id", id=disabled["id"])
    change("update users set status = 'invited', password_hash = null where id = :id", id=invited["id"])
    nobody = {"email": "nobody@example.com"}
    wrong = [visitor.sign_in(user, password="another password")]
    wrong += [visitor.sign_in(one) for one in (nobody, disabled, invited)]
    assert {answer.status for answer in wrong} == {401}
    assert len({str(answer.json["error"]) for answer in wrong}) == 1
    assert wrong[0].json["error"]["message"] == "The e-mail address or the password is wrong."
    assert wrong[0].headers["www-authenticate"] == "Bearer"


def test_an_unknown_address_takes_as_long_as_a_wrong_password(visitor, user):
    def seconds(email):
        began = time.perf_counter()
        assert visitor.sign_in({"email": email}, password="another password").status == 401
        return time.perf_counter() - began

    pairs = [(seconds(user["email"]), seconds(f"nobody{turn}@example.com")) for turn in range(7)]
    known, unknown = (statistics.median(side) for side in zip(*pairs, strict=True))
    assert 0.5 < known / unknown < 2


def test_an_account_takes_so_many_attempts_whether_it_exists_or_not(visitor, new_user):
    user, other = new_user(), new_user()
    for email in (user["email"], "nobody-at-all@example.com"):
        began, tried = time.monotonic(), 0
        while (answer := visitor.sign_in({"email": email}, password="a guess")).status == 401:
            tried += 1
        # Ten at once, and one more for every half minute that a busy machine took over them.
        assert 10 <= tried <= 11 + (time.monotonic() - began) / 30
        assert (answer.status, answer.json["error"]["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 30
        refused = visitor.sign_in({"email": email.upper()})
        assert refused.status == 429, "the right password does not help, nor another case"
    assert visitor.sign_in(other).status == 201


def test_a_session_that_ends_is_out_at_once(visitor, user, until):
    token = visitor.token(user)
    assert visitor.ask("GET", "/me", token=token).status == 200
    ended = visitor.ask("DELETE", "/sessions/current", token=token)
    assert (ended.status, ended.json["data"].keys()) == (200, {"ended_at"})
    assert until(lambda: visitor.ask("GET", "/me", token=token).status == 401) < SOON_S
    refused = visitor.ask("GET", "/me", token=token)
    assert refused.json["error"]["message"] == "This session is over: sign in again."


def test_a_renewed_session_goes_on_under_another_token_and_can_change_its_mode(visitor, user, until):
    first = visitor.token(user)
    renewed = visitor.ask("POST", "/sessions/current/renew", token=first)
    assert (renewed.status, renewed.json["data"]["mode"]) == (201, "live")
    second = renewed.json["data"]["token"]
    assert until(lambda: visitor.ask("GET", "/me", token=first).status == 401) < SOON_S
    switched = visitor.ask("POST", "/sessions/current/renew", {"mode": "test"}, token=second).json["data"]
    assert visitor.ask("GET", "/me", token=switched["token"]).json["data"]["mode"] == "test"
    again = visitor.ask("POST", "/sessions/current/renew", {}, token=switched["token"]).json["data"]
    assert again["mode"] == "test"


def test_after_twelve_hours_one_has_to_sign_in_again(visitor, user, change):
    token = visitor.token(user)
    began = datetime.now(UTC) - timedelta(hours=11, minutes=30)
    change("update sessions set signed_in_at = :at where user_id = :id", at=began, id=user["id"])
    renewed = visitor.ask("POST", "/sessions/current/renew", token=token).json["data"]
    left = datetime.fromisoformat(renewed["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=28) < left <= timedelta(minutes=30)


def test_a_session_lives_no_longer_than_it_says(visitor, user, change):
    token = visitor.token(user)
    change("update sessions set expires_at = now() where user_id = :id", id=user["id"])
    assert visitor.ask("GET", "/me", token=token).status == 401
    assert visitor.ask("POST", "/sessions/current/renew", token=token).status == 401


def test_of_two_renewals_at_once_one_goes_on(visitor, user):
    token = visitor.token(user)
    start, answers = threading.Barrier(4), []

    def renew():
        start.wait()
        answers.append(visitor.ask("POST", "/sessions/current/renew", token=token))

    threads = [threading.Thread(target=renew) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [201, 401, 401, 401]
    (winner,) = [answer for answer in answers if answer.status == 201]
    assert visitor.ask("GET", "/me", token=winner.json["data"]["token"]).status == 200


def test_a_token_that_was_there_before_signing_in_stays_who_it_was(visitor, new_user):
    """What is called session fixation: nothing that is sent along becomes the session of whoever signs in."""
    attacker, victim = new_user("staff"), new_user()
    planted = visitor.token(attacker)
    body = {"email": victim["email"], "password": "a password of Robin's", "token": planted}
    answer = visitor.ask("POST", "/sessions", body, token=planted, Cookie=f"session={planted}")
    assert answer.status == 201
    assert answer.json["data"]["token"] != planted
    assert visitor.ask("GET", "/me", token=planted).json["data"]["user"]["id"] == attacker["id"]


@pytest.mark.parametrize(
    "token", ["lps_", "lps_your_token", "lps_4fZ8Qm01Ab_" + "A" * 49], ids=["nothing", "garbage", "wrong checksum"]
)
def test_what_is_no_token_of_ours_is_refused_without_a_look_up(visitor, token):
    answer = visitor.ask("GET", "/me", token=token)
    assert (answer.status, answer.json["error"]["code"]) == (401, "unauthenticated")


def test_somebody_elses_secret_is_nobodys(visitor, user):
    token = visitor.token(user)
    body = token[:15] + "A" * 43
    assert visitor.ask("GET", "/me", token=body + checksum(body)).status == 401
    assert visitor.ask("GET", "/me", token=token).status == 200


def test_an_api_key_has_no_session(visitor, new_key):
    key = new_key()["key"]
    for method, path in (("DELETE", "/sessions/current"), ("POST", "/sessions/current/renew")):
        answer = visitor.ask(method, path, token=key)
        assert (answer.status, answer.json["error"]["code"]) == (403, "forbidden")


def test_the_dashboard_comes_with_a_plan_that_has_no_developer_access(visitor, new_user):
    assert visitor.ask("GET", "/me", token=visitor.token(new_user(plan="starter"))).status == 200


def test_a_suspended_organization_is_told_so(visitor, user, change):
    change("update organizations set status = 'suspended' where id = :id", id=user["organization_id"])
    answer = visitor.sign_in(user)
    assert (answer.status, answer.json["error"]["reason"]) == (403, "organization_suspended")
    assert visitor.sign_in(user, password="another password").status == 401


def test_signing_in_again_with_the_same_key_shows_no_token(visitor, user, engine):
    body = {"email": user["email"], "password": "a password of Robin's"}
    first = visitor.ask("POST", "/sessions", body, Idempotency_Key="sign-in")
    again = visitor.ask("POST", "/sessions", body, Idempotency_Key="sign-in")
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json["data"] == first.json["data"] | {"token": None}
    guess = visitor.ask("POST", "/sessions", body | {"password": "a guess"}, Idempotency_Key="sign-in")
    assert guess.status == 401
    with engine.connect() as connection:
        kept = connection.execute(text("select fingerprint, body from idempotency where key = 'client:sign-in'")).all()
    assert "lps_" not in str(kept)
    # A digest of a password can be guessed at.
    fingerprints = {row.fingerprint for row in kept}
    assert fingerprint("POST", "/v1/sessions", body) not in fingerprints
    assert fingerprint("POST", "/v1/sessions", {"email": user["email"]}) in fingerprints


def test_neither_password_nor_token_is_kept_or_logged(visitor, user, engine, door, account_api):
    token = visitor.token(user)
    visitor.sign_in(user, password="a password of nobody's")
    visitor.ask("GET", "/me", token=token)
    with engine.connect() as connection:
        rows = connection.execute(text("select * from sessions where user_id = :id"), {"id": user["id"]}).all()
    logs = door.log() + account_api[1].read_text()
    for secret in (token, token[15:], "a password of"):
        assert secret not in str(rows)
        assert secret not in logs
    (line,) = door.lines(route="/v1/me", kid=token[:14])
    assert line["status"] == 200


def test_what_is_done_with_sessions_is_written_down(visitor, user, audited):
    token = visitor.token(user)
    token = visitor.ask("POST", "/sessions/current/renew", token=token).json["data"]["token"]
    visitor.ask("DELETE", "/sessions/current", token=token)
    assert audited(user["organization_id"])[-3:] == ["session.created", "session.renewed", "session.ended"]
