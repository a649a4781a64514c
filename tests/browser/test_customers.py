"""An account from its first day: a card, a customer, a purchase; customers found, imported and served on a phone."""

import pytest
from playwright.sync_api import expect

from tests.dashboard.belongings import belongings

LONG = "Maximiliana Antoinette von und zu Hohenstein-Wolkenburg & <b>Töchter</b> " * 2


@pytest.fixture
def shop(merchant):
    return belongings(merchant.api, place=merchant.partner_location_id, name=LONG.strip(), mailbox="long")


def test_the_first_card_customer_and_purchase_show_in_the_chart(window, arrive):
    page = arrive("owner").page
    window.look("first-steps")
    page.get_by_role("link", name="Points on a loyalty card").click()
    page.get_by_label("Name").fill("Insider Points")
    window.look("loyalty-card-new")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The loyalty card was created.")).to_be_visible()
    window.look("loyalty-card-empty")

    page.goto("/dashboard")
    page.get_by_role("link", name="Add a customer").click()
    page.get_by_label("Name").fill("Alex Rivera")
    page.get_by_label("E-mail address").fill("alex@example.com")
    window.look("customer-new")
    page.get_by_role("button", name="Save").click()
    window.look("customer-without-card")
    page.get_by_role("button", name="Enroll").click()
    page.get_by_role("link", name="At the counter").click()
    page.get_by_label("Amount in USD").fill("24.50")
    page.get_by_role("button", name="Credit points").click()
    expect(page.get_by_text("24 points. The balance is 24.")).to_be_visible()

    page.goto("/dashboard")
    points = page.locator("figure", has=page.get_by_role("heading", name="Points", exact=True))
    expect(points.locator("canvas")).to_be_visible()
    points.get_by_text("Figures").click()
    expect(points.locator("tbody tr").last).to_contain_text("24")
    points.get_by_text("Figures").click()
    window.look("home")


def test_three_clicks_credit_a_customer_on_a_phone(window, arrive, merchant, shop):
    window.page.set_viewport_size({"width": 390, "height": 844})
    page = arrive("staff").page
    expect(page.get_by_role("heading", name="Counter")).to_be_visible()
    page.get_by_role("searchbox").fill("maxi")
    expect(page.locator("#found li")).to_have_count(2)
    window.look("counter-found", widths=(390,))

    page.get_by_role("link", name="long@example.com").click()  # 1
    window.look("counter-customer")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_label("Amount in USD").click()  # 2
    page.keyboard.type("12,50")
    page.get_by_role("button", name="Credit points").click()  # 3
    expect(page.get_by_role("status")).to_contain_text("12 points. The balance is 66.")
    window.look("counter-credited", widths=(390,))

    page.get_by_role("button", name="+2").click()
    expect(page.get_by_role("status")).to_contain_text("2 stamps. The card is full")
    page.get_by_role("button", name="Hand over").first.click()
    expect(page.get_by_role("status")).to_contain_text("Handed over.")
    page.get_by_label("Amount in USD").fill("a lot")
    page.get_by_role("button", name="Credit points").click()
    expect(page.get_by_role("alert")).to_be_visible()
    window.forgive()  # A browser notes an answer of 400 as an error.
    window.look("counter-refused", widths=(390,))
    [newest] = merchant.api.data("GET", f"/loyalty-cards/{shop['card_id']}/transactions?type=earn&per_page=1")
    assert (newest["amount"], newest["source"]) == ("12.50", "dashboard")


def test_customers_are_found_while_one_types_and_a_file_is_imported(window, arrive, tmp_path):
    arrive("manager", path="/dashboard/customers")
    page = window.page
    window.look("customers-empty")
    page.get_by_role("link", name="Import", exact=True).first.click()
    window.look("imports-empty")
    page.get_by_role("link", name="Import a file").first.click()
    file = tmp_path / "crm.csv"
    rows = [f"guest{number}@example.com,Guest {number}" for number in range(300)]
    file.write_text("\n".join(["email,name", *rows, "nobody,Nobody", ""]))
    page.get_by_label("File").set_input_files(file)
    window.look("import-new")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("Done")).to_be_visible(timeout=60_000)
    window.look("import")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the failed rows").click()
    assert "nobody" in download.value.path().read_text()
    page.goto("/dashboard/imports")
    window.look("imports")

    page.goto("/dashboard/customers")
    page.get_by_role("searchbox").press_sequentially("guest 299", delay=20)
    expect(page.locator("#found tbody tr")).to_have_count(1)
    expect(page).to_have_url("/dashboard/customers?search=guest%20299")
    page.get_by_role("searchbox").fill("nobody at all")
    expect(page.get_by_text("Nobody found")).to_be_visible()
    window.look("customers-not-found")


def test_a_profile_with_long_names_is_shown_whole_and_erased(window, arrive, merchant, shop):
    path = f"/dashboard/customers/{shop['customer_id']}"
    for number in range(20):
        stamped = {"customer_id": shop["customer_id"], "notes": LONG, "reference": f"OLD-{number}"}
        merchant.api.data("POST", f"/stamp-cards/{shop['stamp_card_id']}/stamps", stamped)
    arrive("manager", path=path)
    page = window.page
    window.look("customer")
    before = page.locator("#timeline .entry").count()
    page.get_by_role("link", name="Show more").click()
    expect(page.get_by_text("Became a customer")).to_be_visible()
    assert page.locator("#timeline .entry").count() > before
    page.goto(f"{path}/timeline")  # What the link leads to without JavaScript.
    window.look("customer-timeline")
    page.goto(f"{path}/points/{shop['card_id']}")
    window.look("ledger")
    page.goto(f"{path}/edit")
    window.look("customer-edit")
    page.goto("/dashboard/customers")
    window.look("customers")
    page.goto(f"{path}/erase")
    window.look("customer-erase")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_text("The customer was erased.")).to_be_visible()
