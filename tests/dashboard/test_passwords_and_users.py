"""Invitations, roles, forgotten passwords: all with the forms that people have."""

import pytest

from tests.people import PASSWORD, new_person, one_time_link

NEW = "another password entirely"


def test_whoever_forgot_the_password_is_answered_the_same_whether_anybody_knows_him(visit, owner):
    texts = set()
    for email in (owner.email, "nobody@example.com"):
        stranger = visit()
        page = stranger.send(stranger.open("/dashboard/password-resets").form(), email=email)
        texts.add(page.text)
    assert len(texts) == 1
    assert "Look into your mail" in texts.pop()


def test_a_link_of_a_mail_sets_a_password_once_and_signs_out_everywhere(suite, visit, owner, arrive):
    elsewhere = arrive(owner)
    path = f"/dashboard/password-resets/{one_time_link(suite, owner.user_id)}"
    stranger = visit()
    form = stranger.open(path).form()

    page = stranger.send(form, password="too short")
    assert "12 to 255 characters" in page.text
    page = stranger.send(page.form(), password=NEW)

    assert page.url.endswith("/dashboard/sign-in")
    assert "Your password is set." in page.text
    assert visit().sign_in(owner.email, PASSWORD).status == 401
    assert visit().sign_in(owner.email, NEW).url.endswith("/dashboard")
    assert "/dashboard/sign-in" in elsewhere.open("/dashboard/users").url
    page = stranger.send(stranger.open(path).form(), password=NEW)
    assert (page.status, "This link is used up" in page.text) == (404, True)


def test_the_link_of_a_mail_is_in_no_log_and_is_told_to_no_other_site(suite, visit, owner):
    token = one_time_link(suite, owner.user_id)
    page = visit().open(f"/dashboard/password-resets/{token}")
    assert page.response.headers["Referrer-Policy"] == "same-origin"
    log = (suite.directory / "log" / "dashboard-serve.log").read_text()
    assert "/dashboard/password-resets/<token>" in log
    assert token not in log


def test_somebody_is_invited_comes_and_is_let_in_as_what_he_is(suite, arrive, visit, merchant):
    owner = arrive("owner")
    email = f"sam{merchant.organization_id}@example.com"
    page = owner.send(owner.open("/dashboard/users/new").form(), name="Sam Till", email=email, role="staff")
    assert f"on its way to {email}" in page.text
    assert "Invited" in page.text
    user = next(user for user in merchant.api.data("GET", "/users") if user["email"] == email)

    page = owner.send(owner.open(f"/dashboard/users/{user['id']}").form("/invite"))
    assert f"on its way to {email}" in page.text

    sam = visit()
    link = f"/dashboard/password-resets/{one_time_link(suite, user['id'], kind='invitation')}"
    sam.send(sam.open(link).form(), password=NEW)
    page = sam.sign_in(email, NEW)
    assert "Staff" in page.text
    assert "Users" not in page.text


def test_a_user_is_changed_and_one_who_is_disabled_is_out_at_once(suite, arrive, merchant):
    owner, person = arrive("owner"), new_person(suite, merchant.organization_id, "staff")
    staff = arrive(person)
    form = owner.open(f"/dashboard/users/{person.user_id}").form()
    owner.send(form, name="Toni Till", role="manager")
    user = merchant.api.data("GET", f"/users/{person.user_id}")
    assert (user["name"], user["role"], user["status"]) == ("Toni Till", "manager", "active")

    owner.send(owner.open(f"/dashboard/users/{person.user_id}").form(), status="disabled")

    assert "/dashboard/sign-in" in staff.open("/dashboard/organization").url


def test_a_user_is_deleted_only_after_asking_and_the_last_owner_stays(suite, arrive, merchant):
    person = new_person(suite, merchant.organization_id, "owner")
    owner, other = arrive(person), new_person(suite, merchant.organization_id, "staff")
    path = f"/dashboard/users/{other.user_id}/delete"
    page = owner.open(path)
    assert merchant.api.call("GET", f"/users/{other.user_id}").status_code == 200

    page = owner.send(page.form())

    assert f"{other.name} cannot sign in any more." in page.text
    assert merchant.api.call("GET", f"/users/{other.user_id}").status_code == 404
    page = owner.send(owner.open(f"/dashboard/users/{person.user_id}/delete").form())
    assert page.status == 400


def test_the_organization_is_changed_and_the_menu_knows_at_once(arrive, merchant):
    owner = arrive("owner")
    form = owner.open("/dashboard/organization").form()
    page = owner.send(form, name="Riverside <script>alert(1)</script>", country="DE", time_zone="Europe/Berlin")
    assert "Riverside <script>alert(1)</script>" in page.text
    assert "<script>alert" not in page.source
    organization = merchant.api.data("GET", "/organization")
    assert (organization["country"], organization["time_zone"]) == ("DE", "Europe/Berlin")


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_only_an_owner_changes_the_organization(arrive, merchant, role):
    visitor = arrive(role)
    page = visitor.open("/dashboard/organization")
    assert page.status == (200 if role == "manager" else 403)
    token = visitor.open("/dashboard").form("/mode").fields["csrf_token"]
    page = visitor.post("/dashboard/organization", csrf_token=token, name="Mine", currency="USD", country="US")
    assert page.status == 403
    assert merchant.api.data("GET", "/organization")["name"] != "Mine"
