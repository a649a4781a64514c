"""The pages: what they do with texts that are not harmless, and without the API."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from loyalty_dashboard.app import create_app
from loyalty_dashboard.portal import reasons
from loyalty_dashboard.portal.views import RECEIVERS
from loyalty_dashboard.settings import from_environment

ROOT = Path(__file__).parents[4]
NASTY = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&amp;{{7*7}}"


@pytest.fixture
def browse() -> Callable[[str], FlaskClient]:
    """``browse(api_url)``: a browser in front of a dashboard of that API."""

    def browse(api_url: str) -> FlaskClient:
        variables = {
            "DASHBOARD_URL": "http://localhost/dashboard",
            "API_URL": api_url,
            "PUBLIC_BASE_URL": "https://api.example.com/api/v1",
            "CONTRACTS_DIR": str(ROOT / "contracts"),
            "SECRET_KEYS": json.dumps({"1": base64.b64encode(bytes(32)).decode()}),
        }
        return create_app(from_environment(variables)).test_client()

    return browse


def with_nasty_texts(document):
    nasty = copy.deepcopy(document)
    credit = nasty["paths"]["/customers"]["post"]
    credit["summary"] = credit["description"] = credit["tags"][0] = NASTY
    fields = nasty["components"]["schemas"]["CustomersCustomerFields"]["properties"]
    fields["email"] |= {"description": NASTY, "default": NASTY, "enum": [NASTY]}
    fields[NASTY] = {"type": "string"}
    nasty["tags"].append({"name": NASTY, "description": NASTY})
    nasty["info"]["title"] = NASTY
    return nasty


def test_no_text_of_the_openapi_becomes_markup(api, browse, document):
    api.text = json.dumps(with_nasty_texts(document)).encode()
    browser = browse(api.url)
    for path in ("/", "/docs", "/docs/api/customers", "/docs/search?q=alert", "/docs/console/post_customers"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "<img src=x" not in page.text
        assert "49" not in re.findall(r"amp;(\d+)", page.text)
    assert "&lt;script&gt;alert(1)" in browser.get("/docs/api/customers").text


@pytest.mark.parametrize("query", [NASTY, "%00", "\u202e", "a" * 5000])
def test_no_text_of_a_reader_becomes_markup(api, browse, query):
    for headers in ({}, {"HX-Request": "true"}):
        page = browse(api.url).get("/docs/search", query_string={"q": query}, headers=headers)
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "<img src=x" not in page.text


def test_without_the_api_the_reference_says_so_and_the_guides_are_there(browse):
    browser = browse("http://127.0.0.1:9/api/v1")
    for path in (
        "/docs/api/customers",
        "/docs/search?q=customers",
        "/docs/openapi.json",
        "/docs/console/post_customers",
    ):
        page = browser.get(path)
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
        assert "The reference is not available right now" in page.text
    for path in ("/", "/docs", "/docs/quick-start", "/docs/webhooks", "/docs/errors", "/docs/events/customer.created"):
        assert browser.get(path).status_code == 200, path


def test_pages_come_compressed_but_not_where_they_hold_a_token_of_the_reader(api, browse):
    browser = browse(api.url)
    headers = {"Accept-Encoding": "gzip"}
    page = browser.get("/docs/api/customers", headers=headers)
    assert page.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page.headers["Vary"]
    assert "csrf_token" not in browser.get("/docs/api/customers").text
    assert "Content-Encoding" not in browser.get("/docs/console/post_customers", headers=headers).headers
    assert "Content-Encoding" not in browser.get("/docs/api/customers").headers


def test_the_reasons_that_are_listed_are_those_that_there_are():
    sources = [*ROOT.glob("services/*/src/**/errors/*.py"), *ROOT.glob("services/*/src/**/errors.py")]
    sources += ROOT.glob("libs/common/src/**/*.py")
    declared = {
        reason
        for path in sources
        for reason in re.findall(r'\breason(?:: [a-z |A-Z]+)? ?= ?"([a-z_]+)"', path.read_text())
    }
    assert set(reasons.ALL) == declared
    assert len(reasons.ALL) == len(declared)


@pytest.mark.parametrize("language", ["python", "javascript", "php"])
def test_the_receivers_are_those_that_a_test_of_webhooks_runs(language):
    [shown] = re.findall(rf"```{language}\n(.*?)\n```", (ROOT / "docs/webhooks.md").read_text(), re.DOTALL)
    assert RECEIVERS[language] == shown
