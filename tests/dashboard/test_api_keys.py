"""A key is made, shown once, used, rotated and revoked, all with forms."""

import re

import pytest
import requests


def use(suite, key):
    return requests.get(f"{suite.base_url}/customers", headers={"Authorization": f"Bearer {key}"}, timeout=10)


@pytest.fixture
def owner_visit(arrive):
    return arrive("owner")


@pytest.fixture
def made(owner_visit):
    """The page that shows a new key."""
    form = owner_visit.open("/dashboard/api-keys/new").form()
    return owner_visit.send(form, name="Till 7", mode="live")


def key_id(page):
    return re.search(r"/api-keys/(\d+)", " ".join(page.links))[1]


def test_a_new_key_works_and_is_on_no_other_page(suite, owner_visit, made):
    key = made.codes["new-key"]
    assert use(suite, key).status_code == 200

    for path in ("/dashboard/api-keys", f"/dashboard/api-keys/{key_id(made)}"):
        page = owner_visit.open(path)
        assert "Till 7" in page.text
        assert key not in page.source
        assert "lps_" not in page.source


def test_a_form_that_is_sent_twice_makes_one_key_and_shows_it_once(owner_visit):
    form = owner_visit.open("/dashboard/api-keys/new").form()
    first, second = (owner_visit.send(form, name="Twice", mode="live") for _ in range(2))

    assert "new-key" in first.codes
    assert "new-key" not in second.codes
    assert "This key was shown before" in second.text
    assert owner_visit.open("/dashboard/api-keys").text.count("Twice") == 1


def test_a_key_may_do_what_was_chosen_from_where_and_until_when(owner_visit, merchant):
    form = owner_visit.open("/dashboard/api-keys/new").form()
    chosen = {"access_customers": "read", "access_programs": "", "access_vouchers": "", "access_webhooks": ""}
    places = {"allowed_cidrs": "203.0.113.0/24\r\n198.51.100.7", "expires_at": "2099-01-02T03:04"}
    page = owner_visit.send(form, name="Narrow", mode="test", **chosen, **places)

    key = merchant.api.data("GET", f"/api-keys/{key_id(page)}")
    assert (key["mode"], key["scopes"]) == ("test", ["customers:read"])
    assert key["allowed_cidrs"] == ["203.0.113.0/24", "198.51.100.7/32"]
    assert key["expires_at"] == "2099-01-02T08:04:00+00:00"  # of the organization's time zone, New York

    form = owner_visit.open(f"/dashboard/api-keys/{key['id']}/edit").form()
    assert form.fields["expires_at"] == "2099-01-02T03:04"
    owner_visit.send(form, name="Wider", access_vouchers="write", allowed_cidrs="", expires_at="")
    key = merchant.api.data("GET", f"/api-keys/{key['id']}")
    assert (key["name"], key["scopes"]) == ("Wider", ["customers:read", "vouchers:write"])
    assert (key["allowed_cidrs"], key["expires_at"]) == ([], None)


def test_what_is_wrong_is_said_beside_its_field(owner_visit):
    form = owner_visit.open("/dashboard/api-keys/new").form()
    nothing = {f"access_{area}": "" for area in ("customers", "programs", "vouchers", "webhooks")}
    page = owner_visit.send(
        form, name="", mode="live", allowed_cidrs="nowhere", expires_at="2001-01-01T00:00", **nothing
    )

    assert page.status == 400
    assert "Some fields are not right yet." in page.text
    assert "This field is required." in page.text
    assert "Each line must be an address or a network." in page.text
    assert page.form().fields["allowed_cidrs"] == "nowhere"


def test_a_rotated_key_works_beside_its_successor_until_its_end(suite, owner_visit, made):
    old = made.codes["new-key"]
    form = owner_visit.open(f"/dashboard/api-keys/{key_id(made)}/rotate").form()

    page = owner_visit.send(form, overlap_hours="24")

    assert use(suite, page.codes["new-key"]).status_code == 200
    assert use(suite, old).status_code == 200
    assert "Expiring" in owner_visit.open(f"/dashboard/api-keys/{key_id(made)}").text


def test_a_key_that_is_rotated_without_overlap_ends_at_once(suite, owner_visit, made, wait_until_refused):
    form = owner_visit.open(f"/dashboard/api-keys/{key_id(made)}/rotate").form()
    owner_visit.send(form, overlap_hours="0")
    wait_until_refused(made.codes["new-key"])


def test_a_revoked_key_opens_nothing_any_more(suite, owner_visit, made, wait_until_refused):
    page = owner_visit.open(f"/dashboard/api-keys/{key_id(made)}/revoke")
    assert use(suite, made.codes["new-key"]).status_code == 200, "asking is not revoking"

    page = owner_visit.send(page.form())

    wait_until_refused(made.codes["new-key"])
    assert "Revoked" in page.text
    assert not [link for link in page.links if link.endswith(("/rotate", "/revoke", "/edit"))]


@pytest.fixture
def wait_until_refused(suite, wait_until):
    """Every process of the gateway knows it within a second."""
    return lambda key: wait_until(lambda: use(suite, key).status_code == 401)
