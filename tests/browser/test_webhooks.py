"""An endpoint from its making to its end, with what it was sent."""

import pytest
from playwright.sync_api import expect

LONG = "Everything that has ever happened at any of our counters, for the warehouse & the bookkeepers " * 2


@pytest.fixture
def with_traffic(merchant, receiver, wait_until):
    """An endpoint with a long name that took some and refused some."""
    url = f"{receiver.url}/{'a-very-long-path/' * 9}"
    endpoint = merchant.api.data("POST", "/webhook-endpoints", {"url": url, "description": LONG})
    path = f"/webhook-endpoints/{endpoint['id']}"
    for number in range(6):
        receiver.status = 503 if number % 3 == 2 else 204
        merchant.api.data(
            "POST", "/customers", {"email": f"alex{number}@example.com", "name": "<script>alert(1)</script>"}
        )
        wait_until(lambda wanted=number + 1: merchant.api.data("GET", f"{path}/stats")["totals"]["attempts"] >= wanted)
    return f"/dashboard{path}"


def test_an_endpoint_is_created_tested_and_its_attempt_seen(window, arrive, receiver, wait_until):
    arrive("manager", path="/dashboard/webhook-endpoints")
    page = window.page
    window.look("webhooks-empty")
    page.get_by_role("link", name="Add an endpoint").first.click()
    expect(page.get_by_label("voucher.redeemed")).to_be_hidden()
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_label("Only these").first.check()
    page.get_by_label("voucher.redeemed").check()
    window.look("webhook-new")
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.locator("#new-secret")).to_contain_text("whsec_")
    secret = page.locator("#new-secret").text_content()
    window.look("webhook-secret")

    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("Delivered: your server took the test event.")).to_be_visible()
    expect(page.get_by_role("heading", name="Attempt 1")).to_be_visible()
    assert receiver.received[0].is_signed_with(secret)
    window.look("webhook-test")

    receiver.status = 500
    page.get_by_role("button", name="Send another").click()
    expect(page.get_by_text("Not delivered.")).to_be_visible()
    window.look("webhook-test-failed")


def test_how_it_goes_is_drawn_and_every_delivery_can_be_opened(window, arrive, with_traffic):
    arrive("manager", path=with_traffic)
    page = window.page
    expect(page.locator("figure[data-drawn] canvas")).to_have_count(2)
    window.look("webhook")
    page.get_by_text("Figures").first.click()
    window.look("webhook-figures", widths=(390, 1280))
    page.get_by_role("link", name="All deliveries").click()
    window.look("webhook-deliveries")
    page.get_by_label("Status").select_option("Given up")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="Nothing like this")).to_be_visible()
    window.look("webhook-deliveries-none")
    page.go_back()
    page.get_by_role("link", name="customer.created").first.click()
    expect(page.get_by_role("heading", name="Attempt 1")).to_be_visible()
    expect(page.get_by_role("region", name="Payload")).to_contain_text("<script>alert(1)</script>")
    window.look("webhook-delivery")


def test_a_replay_is_followed_without_a_hand_on_the_browser(window, arrive, with_traffic, receiver):
    receiver.status = 204
    arrive("manager", path=f"{with_traffic}/replay")
    page = window.page
    window.look("webhook-replay-new")
    page.get_by_label("Since").fill("2020-01-01T00:00")
    page.get_by_label("Everything of this time").check()
    page.get_by_role("button", name="Start the replay").click()
    expect(page.locator("#job .badge")).to_have_text("Done")
    window.look("webhook-replay")


def test_other_pages_of_an_endpoint(window, arrive, with_traffic):
    arrive("manager", path="/dashboard/webhook-endpoints")
    window.look("webhooks")
    for part in ("edit", "rotate-secret", "delete"):
        window.open(f"{with_traffic}/{part}")
        window.look(f"webhook-{part}")
