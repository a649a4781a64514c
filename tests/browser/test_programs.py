"""Every page of cards, stamps, vouchers, referrals and locations: empty, with long texts, with what is wrong."""

import re

import pytest
from playwright.sync_api import expect

from tests.dashboard.belongings import belongings

LONG = "The Grand Autumn Promotion of our Riverside, Grand Station & Lakeside Counters <i>together</i>"
NOUNS = {
    "loyalty-cards": "card_id",
    "stamp-cards": "stamp_card_id",
    "vouchers": "voucher_id",
    "vouchers/batches": "batch_id",
    "referral-programs": "program_id",
}
BELOW = {
    "loyalty-cards": (
        "edit",
        "members",
        "transactions",
        "transactions/{transaction_id}/reverse",
        "claims",
        "rewards/new",
        "rewards/{reward_id}/edit",
    ),
    "stamp-cards": ("edit", "stamps"),
    "vouchers": ("edit",),
    "vouchers/batches": (),
    "referral-programs": ("edit",),
}


@pytest.fixture
def shop(merchant):
    return belongings(merchant.api, place=merchant.partner_location_id, name=LONG, mailbox="long")


def named(path):
    return path.replace("/", "-")


@pytest.mark.parametrize("noun", NOUNS)
def test_pages_without_anything_say_what_to_do(window, arrive, noun):
    arrive("manager", path=f"/dashboard/{noun}")
    window.look(f"{named(noun)}-empty", widths=(390, 1280))
    window.open(f"/dashboard/{noun}/new")
    window.page.get_by_role("button", name="Create" if noun == "vouchers/batches" else "Save").click()
    expect(window.page.locator(".error").first).to_be_visible()
    window.forgive()  # A browser notes an answer of 400 as an error.
    window.look(f"{named(noun)}-wrong")


@pytest.mark.parametrize("noun", NOUNS)
def test_pages_with_long_texts_are_shown_whole(window, arrive, shop, noun):
    arrive("manager", path=f"/dashboard/{noun}")
    window.look(named(noun))
    path = f"/dashboard/{noun}/{shop[NOUNS[noun]]}"
    window.open(path)
    window.look(f"{named(noun)}-one")
    for below in BELOW[noun]:
        window.open(f"{path}/{below.format_map(shop)}")
        window.look(f"{named(noun)}-{named(re.sub(r'{.*?}/', '', below))}")


def test_locations_and_how_they_compare(window, arrive, merchant, shop):
    for number in range(6):
        place = {"name": f"{LONG} {number}", "time_zone": "America/Chicago"}
        place_id = merchant.api.data("POST", "/partner-locations", place)["id"]
    arrive("manager", path="/dashboard/locations")
    window.look("locations")
    for path, name in (
        (f"/{place_id}/edit", "location"),
        ("/new", "location-new"),
        ("/compared", "locations-compared"),
    ):
        window.open(f"/dashboard/locations{path}")
        window.look(name)
    window.open("/dashboard")
    expect(window.page.locator("#comparison, .section figure").last).to_be_visible()
    window.look("home-locations", widths=(390, 768))
