"""The portal in front of the running suite, read by somebody whose browser knows no JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
import requests

from loyalty_testing.visitor import Page, Visitor

FIRST_PAGE_BYTES = 100_000
EVENTS = Path(__file__).parents[3] / "contracts/events"


@pytest.fixture
def reader(visit: Callable[[], Visitor]) -> Visitor:
    return visit()


@pytest.fixture(scope="module")
def document(suite: Any) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{suite.base_url}/openapi.json", timeout=10).json()
    return document


def operations(document: dict[str, Any]) -> list[str]:
    specs = [spec for item in document["paths"].values() for spec in item.values()]
    return [spec["operationId"] for spec in specs if "responses" in spec]


def anchors(page: Page) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', page.source))


def test_every_operation_and_every_event_that_there_is_has_its_place(reader, document):
    overview = reader.open("/docs")
    pages = [reader.open(link) for link in sorted(set(overview.links)) if "/docs/api/" in link]
    shown = set().union(*(anchors(page) for page in pages))
    there = operations(document)
    assert [name for name in there if name.replace("_", "-") not in shown] == []
    assert len(there) > 100
    events = {path.stem for path in EVENTS.glob("*.json")}
    assert events == {link.rpartition("/")[2] for link in overview.links if "/docs/events/" in link}
    for event in events:
        assert f'"event": "{event}"' in reader.open(f"/docs/events/{event}").codes["payload-1"]


def test_every_link_leads_to_a_page_and_to_a_place_on_it(reader):
    pages: dict[str, Page] = {}
    open_links = [urljoin(reader.base_url, "/")]
    wanted: set[str] = set()
    while open_links:
        address = urldefrag(open_links.pop()).url
        if address in pages or not is_read(reader, address):
            continue
        pages[address] = reader.open(address)
        assert pages[address].status == 200, address
        wanted |= set(pages[address].links)
        open_links += pages[address].links
    assert len(pages) > 25
    for link in wanted:
        address, anchor = urldefrag(link)
        if anchor and address in pages:
            assert anchor in anchors(pages[address]), link


def is_read(reader: Visitor, address: str) -> bool:
    """A page of the portal; the consoles are too many, and all alike."""
    path = urlsplit(address).path
    is_page = not path.startswith(("/dashboard", "/docs/console", "/static")) and not path.endswith(".json")
    return address.startswith(reader.base_url) and is_page


def test_a_search_leads_to_the_operation(reader):
    page = reader.open("/docs")
    page = reader.send(page.form("/docs/search"), q="redeem voucher code")
    assert "Redeem a voucher by its code" in page.text
    [link] = [link for link in page.links if link.endswith("#post-vouchers-redeem")]
    assert "post-vouchers-redeem" in anchors(reader.open(link))
    assert "Nothing found" in reader.open("/docs/search?q=qwertz").text


def test_the_first_page_is_light(reader):
    """All that a browser fetches for it, as it comes over the wire."""
    page = reader.open("/")
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.source)
    assert len(parts) >= 4
    transferred = sum(size_of(urljoin(reader.base_url, path)) for path in {"/", *parts})
    assert transferred < FIRST_PAGE_BYTES, transferred


def size_of(url: str) -> int:
    with requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10) as response:
        assert response.status_code == 200
        return len(response.raw.read(decode_content=False)) + len(str(response.headers))


def test_the_whole_reference_can_be_taken_along(reader, suite, document):
    answer = reader.open("/docs/openapi.json").response
    assert "attachment" in answer.headers["Content-Disposition"]
    told = answer.json()
    assert told["paths"].keys() == document["paths"].keys()
    assert told["servers"] == [{"url": suite.base_url}]
    collection = json.loads(reader.open("/docs/postman.json").source)
    assert sum(len(folder["item"]) for folder in collection["item"]) == len(operations(document))


def test_it_speaks_german_to_whoever_wants_it(reader):
    page = reader.open("/", headers={"Accept-Language": "de"})
    assert "Bauen Sie auf unsere Partner-API" in page.text
    assert "Schnellstart" in reader.open("/docs/webhooks", headers={"Accept-Language": "de"}).text
