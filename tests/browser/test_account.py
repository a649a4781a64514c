"""The pages around the account: users, organization, audit log, passwords, and what is refused."""

import pytest
from playwright.sync_api import expect

from tests.people import new_person, one_time_link

LONG = "Maximiliane-Wilhelmine von und zu Hohenstein-Oberursel-Niederlahnstein the third of her name"


@pytest.fixture
def crowd(suite, merchant):
    """Users of every kind, one with a name that is too long for any column."""
    named = {"owner": "<script>alert(1)</script>", "manager": LONG, "staff": "Toni"}
    people = [new_person(suite, merchant.organization_id, role, name=name) for role, name in named.items()]
    merchant.api.data("POST", "/users", {"name": "Sam", "email": f"invited-{people[0].email}", "role": "staff"})
    return people


def test_users(window, arrive, crowd, merchant):
    arrive("owner", path="/dashboard/users")
    expect(window.page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    window.look("users")
    window.page.get_by_role("link", name="Sam").click()
    window.look("user-invited")
    window.page.get_by_role("button", name="Send it again").click()
    expect(window.page.get_by_role("status")).to_contain_text("on its way")
    window.look("users-said")
    window.open("/dashboard/users/new")
    window.look("user-new")
    window.open(f"/dashboard/users/{crowd[1].user_id}/delete")
    window.look("user-delete")


def test_organization_and_audit_log(window, arrive, crowd):
    arrive(crowd[0], path="/dashboard/organization")
    window.look("organization")
    window.page.get_by_label("Name").fill(f"{LONG} & daughters")
    window.page.get_by_role("button", name="Save").click()
    expect(window.page.get_by_role("status")).to_contain_text("Saved.")
    window.open("/dashboard/audit-log")
    window.page.get_by_text("1 field").first.click()
    window.look("audit-log")
    window.open("/dashboard/audit-log?action=user.deleted")
    window.look("audit-log-none")
    window.page.get_by_role("button", name="Deutsch").first.click()
    window.open("/dashboard/audit-log")
    window.look("audit-log-german")


def test_a_manager_sees_the_organization_and_is_told_where_the_end_is(window, arrive):
    arrive("manager", path="/dashboard/organization")
    window.look("organization-of-manager")
    window.open("/dashboard/users")
    expect(window.page.get_by_role("heading", name="This is not for you")).to_be_visible()
    window.forgive()
    window.look("not-for-you")
    window.open("/dashboard/webhook-endpoints/999999")
    expect(window.page.get_by_role("heading", name="Not found")).to_be_visible()
    window.forgive()
    window.look("not-found")


def test_choosing_a_password(window, suite, merchant):
    person = new_person(suite, merchant.organization_id)
    window.open("/dashboard/password-resets")
    window.look("password-forgotten")
    window.page.get_by_label("E-mail address").fill(person.email)
    window.page.get_by_role("button", name="Send the link").click()
    expect(window.page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    window.look("password-sent")
    link = f"/dashboard/password-resets/{one_time_link(suite, person.user_id)}"
    window.open(link)
    window.look("password-new")
    window.page.get_by_label("New password").fill("a password of my own")
    window.page.get_by_role("button", name="Set the password").click()
    expect(window.page.get_by_role("status")).to_contain_text("Your password is set.")
    window.look("password-set")
    window.open(link)
    window.page.get_by_label("New password").fill("a password of my own")
    window.page.get_by_role("button", name="Set the password").click()
    expect(window.page.get_by_role("heading", name="This link is used up")).to_be_visible()
    window.forgive()
    window.look("password-over")
