"""A real browser in front of the real suite. Pictures of all pages are kept in var/screenshots/."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from loyalty_testing.browser import Watched, browsing
from loyalty_testing.visitor import own_address
from tests.people import Person, cookie, new_person


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def shots() -> Path:
    folder = Path(__file__).parents[2] / "var" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def window(browser: Browser, suite: Any, shots: Path) -> Iterator[Watched]:
    """Of somebody who has not been here before, at 1280 pixels."""
    context = browser.new_context(
        base_url=suite.layout.addresses.url("dashboard-serve"),
        viewport={"width": 1280, "height": 900},
        locale="en-US",
        # A colour on its way to another is neither of them.
        reduced_motion="reduce",
        timezone_id="America/New_York",
        permissions=["clipboard-read", "clipboard-write"],
        extra_http_headers={"X-Forwarded-For": own_address()},
    )
    context.set_default_timeout(30_000)
    yield Watched(context.new_page(), shots=shots)
    context.close()


@pytest.fixture
def arrive(window: Watched, suite: Any, merchant: Any) -> Callable[..., Watched]:
    """``arrive("staff")``: somebody of the merchant who has signed in, on the first page; or whoever is given."""

    def arrive(who: str | Person = "owner", *, mode: str = "live", path: str = "/dashboard") -> Watched:
        person = new_person(suite, merchant.organization_id, who) if isinstance(who, str) else who
        name, value = cookie(suite, person, mode=mode)
        url = suite.layout.addresses.url("dashboard-serve")
        window.page.context.add_cookies([{"name": name, "value": value, "url": url}])
        window.open(path)
        return window

    return arrive
