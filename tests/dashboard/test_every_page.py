"""What holds for every page there is: by whom it opens, with whose ids, and for whose forms.

A new page makes ``test_every_page_is_known_here`` red: it is then written down with the least role that opens it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from loyalty_dashboard.app import create_app
from loyalty_dashboard.settings import Settings
from tests.dashboard.belongings import belongings

PUBLIC = {
    "/dashboard/sign-in",
    "/dashboard/sign-out",
    "/dashboard/password-resets",
    "/dashboard/password-resets/<token>",
}
LEAST = {
    "/dashboard": "staff",
    "/dashboard/mode": "staff",
    "/dashboard/organization": "manager",
    "/dashboard/audit-log": "manager",
    "/dashboard/webhook-endpoints": "manager",
    "/dashboard/webhook-endpoints/new": "manager",
    "/dashboard/webhook-endpoints/<int:endpoint_id>": "manager",
    "/dashboard/webhook-endpoints/<int:endpoint_id>/edit": "manager",
    "/dashboard/webhook-endpoints/<int:endpoint_id>/state": "manager",
    "/dashboard/webhook-endpoints/<int:endpoint_id>/test": "manager",
    "/dashboard/webhook-endpoints/<int:endpoint_id>/rotate-secret": "manager",
    "/dashboard/webhook-endpoints/<int:endpoint_id>/replay": "manager",
    "/dashboard/webhook-endpoints/<int:endpoint_id>/delete": "manager",
    "/dashboard/webhook-deliveries": "manager",
    "/dashboard/webhook-deliveries/<int:delivery_id>": "manager",
    "/dashboard/webhook-deliveries/<int:delivery_id>/redeliver": "manager",
    "/dashboard/webhook-replays/<int:replay_id>": "manager",
    "/dashboard/webhook-replays/<int:replay_id>/cancel": "manager",
    "/dashboard/locations/compared": "manager",
    "/dashboard/counter": "staff",
    "/dashboard/counter/<int:customer_id>": "staff",
    "/dashboard/counter/<int:customer_id>/here": "staff",
    "/dashboard/counter/<int:customer_id>/points/<int:card_id>": "staff",
    "/dashboard/counter/<int:customer_id>/redemptions/<int:card_id>": "staff",
    "/dashboard/counter/<int:customer_id>/stamps/<int:stamp_card_id>": "staff",
    "/dashboard/counter/<int:customer_id>/rewards/<int:card_id>/<int:reward_id>": "staff",
    "/dashboard/counter/<int:customer_id>/hand-over": "staff",
    "/dashboard/counter/<int:customer_id>/voucher": "staff",
    "/dashboard/customers": "staff",
    "/dashboard/customers/<int:customer_id>": "staff",
    "/dashboard/customers/<int:customer_id>/timeline": "staff",
    "/dashboard/customers/<int:customer_id>/points/<int:card_id>": "manager",
    "/dashboard/customers/new": "manager",
    "/dashboard/customers/<int:customer_id>/edit": "manager",
    "/dashboard/customers/<int:customer_id>/export": "manager",
    "/dashboard/customers/<int:customer_id>/erase": "manager",
    "/dashboard/customers/<int:customer_id>/enroll": "manager",
    "/dashboard/customers/<int:customer_id>/memberships/<int:card_id>/<int:enrollment_id>": "manager",
    "/dashboard/imports": "manager",
    "/dashboard/imports/new": "manager",
    "/dashboard/imports/<int:import_id>": "manager",
    "/dashboard/imports/<int:import_id>/cancel": "manager",
    "/dashboard/imports/<int:import_id>/errors.csv": "manager",
    "/dashboard/locations": "manager",
    "/dashboard/locations/new": "manager",
    "/dashboard/locations/<int:location_id>/edit": "manager",
    "/dashboard/loyalty-cards": "manager",
    "/dashboard/loyalty-cards/new": "manager",
    "/dashboard/loyalty-cards/<int:card_id>": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/edit": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/active": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/members": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/transactions": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/transactions/<int:transaction_id>/reverse": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/claims": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/claims/<int:claim_id>/fulfill": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/claims/<int:claim_id>/cancel": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/rewards/new": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/rewards/<int:reward_id>/edit": "manager",
    "/dashboard/loyalty-cards/<int:card_id>/rewards/<int:reward_id>/active": "manager",
    "/dashboard/referral-programs": "manager",
    "/dashboard/referral-programs/new": "manager",
    "/dashboard/referral-programs/<int:program_id>": "manager",
    "/dashboard/referral-programs/<int:program_id>/edit": "manager",
    "/dashboard/referral-programs/<int:program_id>/active": "manager",
    "/dashboard/referral-programs/<int:program_id>/referrals/<int:referral_id>/complete/<int:milestone_id>": "manager",
    "/dashboard/stamp-cards": "manager",
    "/dashboard/stamp-cards/new": "manager",
    "/dashboard/stamp-cards/<int:stamp_card_id>": "manager",
    "/dashboard/stamp-cards/<int:stamp_card_id>/edit": "manager",
    "/dashboard/stamp-cards/<int:stamp_card_id>/active": "manager",
    "/dashboard/stamp-cards/<int:stamp_card_id>/stamps": "manager",
    "/dashboard/stamp-cards/<int:stamp_card_id>/stamps/<int:stamp_id>/reverse": "manager",
    "/dashboard/stamp-cards/<int:stamp_card_id>/rewards/<int:reward_id>/fulfill": "manager",
    "/dashboard/vouchers": "manager",
    "/dashboard/vouchers/new": "manager",
    "/dashboard/vouchers/<int:voucher_id>": "manager",
    "/dashboard/vouchers/<int:voucher_id>/edit": "manager",
    "/dashboard/vouchers/<int:voucher_id>/active": "manager",
    "/dashboard/vouchers/<int:voucher_id>/redemptions/<int:redemption_id>/rollback": "manager",
    "/dashboard/vouchers/batches": "manager",
    "/dashboard/vouchers/batches/new": "manager",
    "/dashboard/vouchers/batches/<int:batch_id>": "manager",
    "/dashboard/vouchers/batches/<int:batch_id>/codes.csv": "manager",
    "/dashboard/api-keys": "owner",
    "/dashboard/api-keys/new": "owner",
    "/dashboard/api-keys/<int:api_key_id>": "owner",
    "/dashboard/api-keys/<int:api_key_id>/edit": "owner",
    "/dashboard/api-keys/<int:api_key_id>/rotate": "owner",
    "/dashboard/api-keys/<int:api_key_id>/revoke": "owner",
    "/dashboard/users": "owner",
    "/dashboard/users/new": "owner",
    "/dashboard/users/<int:user_id>": "owner",
    "/dashboard/users/<int:user_id>/invite": "owner",
    "/dashboard/users/<int:user_id>/delete": "owner",
}
CONTRACTS = Path(__file__).parents[2] / "contracts"
JOKE = "<script>alert(1)</script>"
RANKS = ("staff", "manager", "owner")
RULES = {
    rule.rule: sorted((rule.methods or set()) & {"GET", "POST"})
    for rule in create_app(
        Settings("", 1, 1, "http://x/dashboard", *["http://x/api/v1"] * 2, CONTRACTS, {1: b"k" * 32}, "error", 0)
    ).url_map.iter_rules()
    if rule.rule.startswith("/dashboard")
}
CALLS = [(method, rule) for rule, methods in RULES.items() for method in methods]
CLOSED = [
    (role, method, rule)
    for method, rule in CALLS
    for role in RANKS
    if RANKS.index(role) < RANKS.index(LEAST.get(rule, "staff"))
]


def test_every_page_is_known_here():
    assert RULES.keys() == LEAST.keys() | PUBLIC


@pytest.fixture(scope="module")
def pair(suite: Any, found_merchant: Any) -> Any:
    """Two merchants, made once: nobody changes anything here."""
    return found_merchant(suite), found_merchant(suite)


def everything_of(merchant: Any, name: str) -> dict[str, int]:
    """What a merchant has of each kind, by the name that the paths of pages give it."""
    api = merchant.api
    endpoint = {"url": "http://127.0.0.1:9/theirs", "description": name}
    endpoint_id = api.data("POST", "/webhook-endpoints", endpoint)["id"]
    ids = belongings(api, place=merchant.partner_location_id, name=name)
    while not (deliveries := api.data("GET", "/webhook-deliveries")):
        pass
    replay = {"since": "2020-01-01T00:00:00+00:00", "only": "failed"}
    user = {"name": name, "email": f"theirs{merchant.organization_id}@example.com", "role": "staff"}
    return ids | {
        "endpoint_id": endpoint_id,
        "delivery_id": deliveries[0]["id"],
        "replay_id": api.data("POST", f"/webhook-endpoints/{endpoint_id}/replay", replay)["id"],
        "api_key_id": api.data("POST", "/api-keys", {"name": name})["id"],
        "user_id": api.data("POST", "/users", user)["id"],
    }


@pytest.fixture(scope="module")
def own(pair: Any) -> dict[str, int]:
    """Of the second merchant."""
    return everything_of(pair[1], "theirs")


@pytest.fixture(scope="module")
def named_by_a_joker(pair: Any) -> dict[str, int]:
    """Of the first merchant."""
    return everything_of(pair[0], JOKE)


@pytest.fixture(scope="module")
def people(suite: Any, pair: Any, visit: Any, enter: Any) -> dict[str, Any]:
    """Somebody of each role of the first merchant, who has signed in, with a form of his."""
    visitors = {role: enter(pair[0].organization_id, role) for role in RANKS}
    return {role: (one, one.open("/dashboard").form("/mode").fields["csrf_token"]) for role, one in visitors.items()}


@pytest.fixture(scope="module")
def second_owner(pair: Any, enter: Any) -> Any:
    """Who does not use up what the API lets one person ask in a minute."""
    return enter(pair[0].organization_id, "owner")


def ask(visitor: Any, method: str, path: str, token: str | None) -> Any:
    return visitor.open(path) if method == "GET" else visitor.post(path, csrf_token=token)


def filled(rule: str, ids: dict[str, int]) -> str:
    return re.sub(r"<int:(\w+)>", lambda found: str(ids[found[1]]), rule)


@pytest.mark.parametrize(("role", "method", "rule"), CLOSED)
def test_a_page_opens_to_nobody_who_is_less(people, own, role, method, rule):
    visitor, token = people[role]
    page = ask(visitor, method, filled(rule, own), token)
    assert (page.status, "This is not for you" in page.text) == (403, True)


@pytest.mark.parametrize(("method", "rule"), [(method, rule) for method, rule in CALLS if "<int:" in rule])
def test_what_is_another_organizations_is_not_there(people, own, method, rule):
    visitor, token = people["owner"]
    page = ask(visitor, method, filled(rule, own), token)
    assert (page.status, "Not found" in page.text) == (404, True)
    assert "theirs" not in page.source.lower()


@pytest.mark.parametrize("rule", [rule for method, rule in CALLS if method == "POST" and rule not in PUBLIC])
def test_a_form_of_another_browser_is_not_taken(people, own, rule):
    visitor, _ = people["owner"]
    page = ask(visitor, "POST", filled(rule, own), people["manager"][1])
    assert (page.status, "This page is out of date" in page.text) == (400, True)


@pytest.mark.parametrize(("method", "rule"), [call for call in CALLS if call[1] not in PUBLIC])
def test_whoever_is_not_signed_in_is_asked_to(visit, own, method, rule):
    page = ask(visit(), method, filled(rule, own), None)
    assert "/dashboard/sign-in" in page.url


@pytest.mark.parametrize("role", RANKS)
def test_the_menu_shows_what_opens(people, role):
    visitor, _ = people[role]
    links = {link for link in visitor.open("/dashboard").links if "/dashboard" in link}
    assert {visitor.open(link).status for link in links} == {200}


@pytest.mark.parametrize("rule", [rule for method, rule in CALLS if method == "GET" and rule not in PUBLIC])
def test_a_name_that_is_a_script_is_shown_as_text(second_owner, named_by_a_joker, rule):
    page = second_owner.open(filled(rule, named_by_a_joker))
    assert page.status == 200, page.text
    assert JOKE not in page.source or "text/html" not in page.response.headers["Content-Type"]
