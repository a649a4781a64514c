"""Customers are found, created, changed, exported, erased and imported, and the home page counts what they do."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.dashboard.belongings import belongings


@pytest.fixture
def shop(merchant: Any) -> dict[str, int]:
    return belongings(merchant.api, place=merchant.partner_location_id, name="Alex", mailbox="alex")


@pytest.fixture
def manager(arrive: Any) -> Any:
    return arrive("manager")


def test_a_customer_is_created_once_and_changed(manager: Any, merchant: Any) -> None:
    form = manager.open("/dashboard/customers/new").form()
    wrong = manager.send(form, name="Sam", email="nobody")
    assert (wrong.status, wrong.form().fields["name"]) == (400, "Sam")
    first, second = (manager.send(form, name="Sam", email="sam@example.com") for _ in range(2))
    assert first.url == second.url
    edited = manager.send(manager.open(f"{first.url}/edit").form(), name="Samira", phone="+15551234567")
    assert "Samira" in edited.text
    [sam] = merchant.api.data("GET", "/customers?email=sam@example.com")
    assert (sam["name"], sam["phone"]) == ("Samira", "+15551234567")


def test_a_profile_shows_all_that_a_customer_has(manager: Any, merchant: Any, shop: Any) -> None:
    page = manager.open(f"/dashboard/customers/{shop['customer_id']}")
    for shown in ("Alex points", "54 points", "Alex stamps", "1 / 3", "Alex coffee", "Alex pastry", "Voucher redeemed"):
        assert shown in page.text, shown
    suspended = manager.send(page.form(f"/{shop['enrollment_id']}"))
    assert "Suspended" in suspended.text
    [member] = merchant.api.data("GET", f"/loyalty-cards/{shop['card_id']}/enrollments")
    assert member["status"] == "suspended"


def test_a_timeline_goes_back_page_by_page(manager: Any, merchant: Any, shop: Any) -> None:
    for number in range(22):
        paid = {"customer_id": shop["customer_id"], "amount": 10, "currency": "USD", "reference": f"OLD-{number}."}
        merchant.api.data("POST", f"/loyalty-cards/{shop['card_id']}/transactions", paid)
    page = manager.open(f"/dashboard/customers/{shop['customer_id']}")
    assert "OLD-21." in page.text
    assert "OLD-0." not in page.text
    following = manager.open(next(link for link in page.links if "/timeline?" in link))
    assert "OLD-0." in following.text
    assert "Became a customer" in following.text


def test_what_is_held_on_a_person_is_a_file(manager: Any, shop: Any) -> None:
    response = manager.open(f"/dashboard/customers/{shop['customer_id']}/export").response
    assert response.headers["Content-Disposition"] == f'attachment; filename="customer-{shop["customer_id"]}.json"'
    assert json.loads(response.content)["customer"]["email"] == "alex@example.com"


def test_a_person_is_erased_by_whoever_means_it(manager: Any, merchant: Any, shop: Any) -> None:
    path = f"/customers/{shop['customer_id']}"
    form = manager.open(f"/dashboard{path}/erase").form()
    assert "Tick the box" in manager.send(form).text
    assert merchant.api.data("GET", path)["name"]
    assert "The customer was erased." in manager.send(form, sure="on").text
    assert merchant.api.call("GET", path).status_code == 404
    assert manager.open(f"/dashboard{path}").status == 404
    # Their purchases are listed all the same.
    assert manager.open(f"/dashboard/loyalty-cards/{shop['card_id']}/transactions").status == 200


def test_a_file_is_imported_and_its_faults_can_be_downloaded(manager: Any, merchant: Any) -> None:
    page = manager.open("/dashboard/imports/new")
    form = page.form()
    file = {"file": ("crm.csv", "email,name\nkim@example.com,Kim\nnobody,=Sam\n", "text/csv")}
    answers = [manager.session.post(form.action, data=form.fields, files=file, timeout=30) for _ in range(2)]
    assert answers[0].url == answers[1].url, "a form that is sent twice is one import"
    deadline = time.monotonic() + 60
    while "Done" not in (shown := manager.open(answers[0].url)).text:
        assert time.monotonic() < deadline, shown.text
        time.sleep(0.2)
    errors = manager.open(next(link for link in shown.links if link.endswith("errors.csv"))).response
    assert "nobody" in errors.text
    assert "attachment" in errors.headers["Content-Disposition"]
    assert [one["file_name"] for one in merchant.api.data("GET", "/imports")] == ["crm.csv"]
    assert len(merchant.api.data("GET", "/customers?search=kim")) == 1


def test_a_form_without_a_file_says_so(manager: Any) -> None:
    assert "Choose a file." in manager.send(manager.open("/dashboard/imports/new").form()).text


def test_an_empty_account_is_led_through_card_customer_and_purchase(manager: Any, merchant: Any) -> None:
    def links() -> list[str]:
        return [link.partition("/dashboard")[2] for link in manager.open("/dashboard").links]

    assert "/loyalty-cards/new" in links()
    form = manager.open("/dashboard/loyalty-cards/new").form()
    card = manager.send(form, name="Insider Points")
    assert "/customers/new" in links()
    assert "/loyalty-cards/new" not in links()
    alex = manager.send(manager.open("/dashboard/customers/new").form(), email="alex@example.com")
    assert "To the counter" in manager.open("/dashboard").text
    customer_id = alex.url.rpartition("/")[2]
    manager.send(alex.form("/enroll"))
    till = manager.open(f"/dashboard/counter/{customer_id}")
    manager.send(till.form(f"/points/{card.url.rpartition('/')[2]}"), amount="24,50")
    home = manager.open("/dashboard")
    assert "How your program is doing." in home.text
    assert "Points outstanding 24" in home.text


def test_home_counts_for_a_span_and_a_location(manager: Any, merchant: Any, shop: Any) -> None:
    other = merchant.api.data("POST", "/partner-locations", {"name": "Lakeside", "time_zone": "America/Chicago"})
    for days in ("7", "30", "90", "365", "nonsense"):
        assert "Points earned 74" in manager.open(f"/dashboard?days={days}").text
    assert "Points earned 0" in manager.open(f"/dashboard?location={other['id']}").text
    compared = manager.open("/dashboard/locations/compared").text
    assert "Lakeside 0 0 0 0 0 0" in compared


def test_locations_are_compared_a_few_at_a_time(manager: Any, merchant: Any) -> None:
    names = [f"Quarter {number}" for number in range(7)]
    for name in names:
        merchant.api.data("POST", "/partner-locations", {"name": name, "time_zone": "America/Chicago"})
    page, shown = manager.open("/dashboard/locations/compared"), []
    while True:
        told = [name for name in names if name in page.text]
        assert len(told) <= 5
        shown += told
        if 'rel="next"' not in page.source:
            break
        page = manager.open(next(link for link in page.links if "/compared?cursor=" in link))
    assert sorted(shown) == names


def test_staff_begin_at_the_counter(arrive: Any) -> None:
    assert arrive("staff").open("/dashboard").url.endswith("/dashboard/counter")
