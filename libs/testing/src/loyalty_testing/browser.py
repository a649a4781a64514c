"""A real browser: Debian's Chromium, found or installed like the servers, driven by Playwright.

``Watched`` is a page that keeps account of what must not happen: errors in the console, requests that fail, anything
wider than the window, whatever axe finds. ``look`` checks all of that and takes a picture.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

from loyalty_testing.machine import find_or_install, find_program

Scheme = Literal["light", "dark"]
WIDTHS = (390, 768, 1280)
_HEIGHTS = {390: 844, 768: 1024, 1280: 900}
# What is drawn anew at another size, such as a chart, is so in the frame after.
_SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
# All that axe has for AA about colours.
_OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_RUN_AXE = "(options) => axe.run({resultTypes: ['violations'], ...options}).then((found) => found.violations)"
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@contextmanager
def browsing() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or find_or_install(
        functools.partial(find_program, "chromium"), server="Chromium", variable="CHROMIUM", package="chromium"
    )
    with sync_playwright() as playwright:
        # As root Chromium does not run in its own sandbox.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=str(program), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """``page`` of Playwright, below ``base_url``; ``shots`` is the folder of its pictures."""

    def __init__(self, page: Page, *, shots: Path) -> None:
        self.page = page
        self.faults: list[str] = []
        self._shots = shots
        page.on("console", lambda line: self._note(line.type in ("error", "warning"), f"console: {line.text}"))
        page.on("pageerror", lambda error: self._note(True, f"error: {error}"))
        page.on("requestfailed", lambda request: self._note(_is_fault(request), f"failed: {request.url}"))
        page.on("response", lambda answer: self._note(answer.status >= 400, f"{answer.status}: {answer.url}"))

    def open(self, path: str) -> None:
        self.page.goto(path)

    def look(
        self, name: str, *, widths: tuple[int, ...] = WIDTHS, colours: tuple[Scheme, ...] = ("light", "dark")
    ) -> None:
        """Nothing is wrong with what is shown now, at any width. Axe judges everything in the first colours, and in
        the others what they change: the colours."""
        self.page.wait_for_load_state("load")
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": _HEIGHTS[width]})
            self.page.evaluate(_SETTLED)
            assert self.page.evaluate(_WIDER) == 0, f"{name} is wider than {width}"
            self.page.screenshot(path=self._shots / f"{name}-{width}.png", full_page=True)
        for scheme in colours:
            self.page.emulate_media(color_scheme=scheme)
            self._check_accessible(f"{name} ({scheme})", {} if scheme == colours[0] else _OF_COLOURS)
            if scheme == "dark":
                self.page.screenshot(path=self._shots / f"{name}-dark.png", full_page=True)
        self.page.emulate_media(color_scheme="light")
        assert self.faults == [], name

    def forgive(self) -> None:
        """What was refused on purpose."""
        self.faults.clear()

    def _check_accessible(self, name: str, options: dict[str, Any]) -> None:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found: list[dict[str, Any]] = self.page.evaluate(_RUN_AXE, options)
        told = [f"{one['id']}: {node['html']}\n{node['failureSummary']}" for one in found for node in one["nodes"]]
        assert not told, f"{name}:\n" + "\n".join(told)

    def _note(self, is_fault: bool, line: str) -> None:
        if is_fault:
            self.faults.append(line)


def _is_fault(request: Any) -> bool:
    # A request that the page itself gave up, because it was left, is none.
    return bool(request.failure != "net::ERR_ABORTED")
