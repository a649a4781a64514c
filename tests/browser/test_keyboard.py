"""Without a mouse: everything is reached by Tab, and one sees where one is."""

import pytest
from playwright.sync_api import expect

from tests.dashboard.belongings import belongings
from tests.people import PASSWORD, new_person

MOST_STEPS = 150
# The one that has the focus: what it is called, and whether that is seen. It is marked, to know it again.
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one)
    // A date has a stop for its day, its month and its year.
    const known = "walked" in one.dataset && one !== window.lastFocused
    window.lastFocused = one
    one.dataset.walked = ""
    return {
        known,
        name: one === document.body ? "" : one.ariaLabel || one.labels?.[0]?.innerText || one.innerText || one.value,
        isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
        isPage: one === document.body,
    }
}"""
# A group of radio buttons is one stop.
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0 && one.type !== "radio")
    .filter((one) => one.type !== "hidden" && !("walked" in one.dataset)).map((one) => one.outerHTML)"""


def step(page):
    page.keyboard.press("Tab")
    focused = page.evaluate(FOCUSED)
    assert focused["isPage"] or focused["isSeen"], focused
    return focused


def tab_to(page, name):
    names = []
    while name not in (names or [""])[-1]:
        assert len(names) < MOST_STEPS, names
        names.append(step(page)["name"])


def test_a_purchase_is_credited_with_nothing_but_a_keyboard(window, suite, merchant):
    shop = belongings(merchant.api, place=merchant.partner_location_id, name="Alex Rivera", mailbox="alex")
    person = new_person(suite, merchant.organization_id, "staff")
    page = window.page
    window.open("/dashboard")
    tab_to(page, "E-mail address")
    page.keyboard.type(person.email)
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Counter")).to_be_visible()

    page.keyboard.type("alex@")  # who comes to serve somebody is where he types
    expect(page.locator("#found li")).to_have_count(1)
    tab_to(page, "alex@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Amount in USD")).to_be_visible()
    page.keyboard.type("12.50")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("12 points.")
    [newest] = merchant.api.data("GET", f"/loyalty-cards/{shop['card_id']}/transactions?type=earn&per_page=1")
    assert newest["amount"] == "12.50"


@pytest.mark.parametrize(
    "path", ["", "/customers/{customer_id}", "/loyalty-cards/{card_id}/edit", "/webhook-endpoints/new", "/api-keys/new"]
)
def test_tab_goes_round_a_page_and_leaves_nothing_out(arrive, merchant, path):
    shop = belongings(merchant.api, place=merchant.partner_location_id, name="Alex Rivera", mailbox="alex")
    page = arrive("owner", path=f"/dashboard{path.format(**shop)}").page
    page.wait_for_load_state("networkidle")
    for _ in range(MOST_STEPS):
        focused = step(page)
        if focused["known"] and not focused["isPage"]:
            break
    assert page.evaluate(MISSED) == []


def test_the_menu_is_skipped_by_whoever_wants_the_content(arrive):
    page = arrive("owner").page
    assert step(page)["name"] == "Skip to the content"
    page.keyboard.press("Enter")
    step(page)
    assert page.evaluate("document.activeElement.closest('main') !== null")
