"""The portal in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PAGES = {
    "portal-product": "/",
    "portal-overview": "/docs",
    "portal-quick-start": "/docs/quick-start",
    "portal-authentication": "/docs/authentication",
    "portal-requests": "/docs/requests",
    "portal-webhooks": "/docs/webhooks",
    "portal-events": "/docs/events",
    "portal-event": "/docs/events/customer.updated",
    "portal-errors": "/docs/errors",
    "portal-customers": "/docs/api/customers",
    "portal-stamp-cards": "/docs/api/stamp-cards",
    "portal-search": "/docs/search?q=voucher",
    "portal-search-nothing": "/docs/search?q=qwertz",
    "portal-console": "/docs/console/post_loyalty_cards_card_id_transactions",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_right_at_any_width_in_both_colours(window, name):
    window.open(PAGES[name])
    window.look(name)


def test_no_other_group_of_operations_is_different(window):
    window.open("/docs")
    links = window.page.locator(".docs-menu a[href^='/docs/api/']")
    for path in [link.get_attribute("href") for link in links.all()]:
        if path not in PAGES.values():
            window.open(path)
            window.look(f"portal-api-{path.rpartition('/')[2]}", widths=(390,), colours=("light",))


def test_a_language_is_chosen_once_for_all_samples(window):
    window.open("/docs/api/customers")
    page = window.page
    first, last = page.locator(".tabs").first, page.locator(".tabs").last
    first.get_by_text("Python", exact=True).click()
    expect(first.locator(".pane-python")).to_be_visible()
    expect(last.locator(".pane-python")).to_be_visible()
    expect(last.locator(".pane-curl")).to_be_hidden()
    window.open("/docs/quick-start")
    expect(page.locator(".pane-python").first).to_be_visible()


def test_samples_change_their_language_without_javascript(browser, suite):
    context = browser.new_context(base_url=suite.layout.addresses.url("dashboard-serve"), java_script_enabled=False)
    page = context.new_page()
    page.goto("/docs/quick-start")
    page.locator(".tabs").first.get_by_text("PHP", exact=True).click()
    expect(page.locator(".pane-php").first).to_be_visible()
    expect(page.locator(".pane-curl").first).to_be_hidden()
    context.close()


def test_what_is_searched_is_found_while_it_is_typed_and_reached_with_the_keyboard(window):
    window.open("/docs")
    page = window.page
    page.keyboard.press("/")
    page.keyboard.type("rotate secret")
    expect(page.locator("#search-found a").first).to_be_visible()
    window.look("portal-found", widths=(1280,))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/docs/api/webhooks#*")
    title = page.get_by_role("heading", name="Rotate a signing secret")
    expect(title).to_be_in_viewport()


def test_a_sample_is_copied(window):
    window.open("/docs/quick-start")
    page = window.page
    page.locator(".tabs .copy:visible").first.click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -X GET")


def test_an_operation_is_tried_out_and_the_key_stays_where_it_was_typed(window, merchant):
    window.open("/docs/console/post_customers")
    page = window.page
    page.get_by_label("Test key").fill("lpk_live_nothing")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("live data")
    key = merchant.test_api.data("POST", "/api-keys", {"name": "Console"})["key"]
    page.get_by_label("Test key").fill(key)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer")).to_contain_text("alex@example.com")
    expect(page.locator(".outcome .status")).to_have_text("201")
    assert page.get_by_label("Test key").input_value() == key
    assert key not in page.url
    window.look("portal-console-answer")


def test_on_a_phone_the_menu_leads_everywhere(window):
    window.page.set_viewport_size({"width": 390, "height": 844})
    window.open("/docs/errors")
    page = window.page
    page.locator(".top-menu summary").click()
    window.look("portal-menu", widths=(390,))
    page.locator(".top-menu").get_by_role("link", name="Stamp cards").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stamp cards")
