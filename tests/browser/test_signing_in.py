"""The first and the last thing that anybody does."""

import re

from playwright.sync_api import expect

from tests.people import PASSWORD, new_person


def test_somebody_signs_in_looks_around_and_signs_out(window, suite, merchant):
    person = new_person(suite, merchant.organization_id)
    window.open("/dashboard?from=mail")
    window.look("sign-in")

    page = window.page
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/dashboard.from=mail"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome")
    window.look("signed-in")

    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".bar-menu > summary").click()
    window.look("menu", widths=(390,))
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/dashboard/sign-in"))
    page.go_back()
    page.reload()
    expect(page).to_have_url(re.compile("/dashboard/sign-in"))


def test_a_wrong_password_is_said_beside_the_form(window):
    window.open("/dashboard/sign-in")
    window.page.get_by_label("E-mail address").fill("nobody@example.com")
    window.page.get_by_label("Password").fill("a guess")
    window.page.get_by_role("button", name="Sign in").click()

    expect(window.page.get_by_role("alert")).to_contain_text("do not belong together")
    window.forgive()  # A browser notes an answer of 401 as an error.
    window.look("sign-in-refused")


def test_it_speaks_german_and_comes_in_dark_to_whoever_chooses_so(window):
    window.open("/dashboard/sign-in")
    window.page.get_by_role("button", name="Deutsch").click()
    expect(window.page.get_by_role("heading", name="Anmelden")).to_be_visible()
    window.page.get_by_role("button", name="Dunkel").click()
    expect(window.page.locator("html")).to_have_attribute("data-theme", "dark")
    window.look("sign-in-german")
