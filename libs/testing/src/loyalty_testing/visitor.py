"""Somebody with a browser that knows no JavaScript: opens pages, fills in forms, sends them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests


@dataclass
class Form:
    """``fields``: what a browser would send if nothing were changed."""

    action: str
    method: str
    fields: dict[str, Any] = field(default_factory=dict)


class Page:
    """``text``: the words that are shown. ``source``: the HTML."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.url = response.url
        self.source = response.text
        reader = _Reader(response.url)
        reader.feed(self.source)
        self.forms, self.links = reader.forms, reader.links
        self.text = " ".join(" ".join(reader.words).split())
        self.codes = reader.codes

    def form(self, ending: str = "") -> Form:
        """The form whose action ends so; without ``ending`` the one that leads to this page itself."""
        return next(form for form in self.forms if form.action.endswith(ending or self.url.partition("?")[0]))


_numbers = itertools.count(1)


def own_address() -> str:
    """Of the network that is kept for tests of networks."""
    number = next(_numbers)
    return f"198.{18 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


class Visitor:
    """Comes from an address of his own: how often one may try to sign in is counted by it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-Forwarded-For"] = own_address()

    def open(self, path: str, **options: Any) -> Page:
        return Page(self.session.get(urljoin(self.base_url, path), timeout=30, **options))

    def send(self, form: Form, *, follow: bool = True, **changed: Any) -> Page:
        """``changed``: by the name of a field; a list for several boxes, None to leave a field out."""
        fields = {name: value for name, value in {**form.fields, **changed}.items() if value is not None}
        sent: dict[str, Any] = {"params" if form.method.lower() == "get" else "data": fields}
        return Page(self.session.request(form.method, form.action, timeout=30, allow_redirects=follow, **sent))

    def post(self, path: str, **fields: Any) -> Page:
        """Something that no page offers."""
        return self.send(Form(urljoin(self.base_url, path), "post"), **fields)

    def sign_in(self, email: str, password: str) -> Page:
        return self.send(self.open("/dashboard/sign-in").form(), email=email, password=password)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.codes: dict[str, str] = {}
        self._url = url
        self._select: str | None = None
        self._area: str | None = None
        self._code: str | None = None
        self._is_hidden = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name"), given.get("value") or ""
        match tag:
            case "a" if given.get("href") is not None:
                self.links.append(urljoin(self._url, given["href"] or ""))
            case "form":
                action = urljoin(self._url, given.get("action") or self._url.partition("?")[0])
                self.forms.append(Form(action, given.get("method") or "get"))
            case "input" if name:
                self._note_input(name, value, given)
            case "select":
                self._select = name
            case "option" if self._select and ("selected" in given or self._select not in self.forms[-1].fields):
                self.forms[-1].fields[self._select] = value
            case "textarea" if name:
                self._area = name
                self.forms[-1].fields[name] = ""
            case "code":
                self._code = given.get("id")
            case "script" | "style":
                self._is_hidden = True
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select", "code", "script", "style"):
            self._area = self._select = self._code = None
            self._is_hidden = False

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data.removeprefix("\n")
        elif not self._is_hidden:
            self.words.append(data)
        if self._code:
            self.codes[self._code] = self.codes.get(self._code, "") + data

    def _note_input(self, name: str, value: str, given: dict[str, str | None]) -> None:
        fields = self.forms[-1].fields
        if given.get("type") not in ("checkbox", "radio"):
            fields[name] = value
        elif "checked" in given:
            chosen = value or "on"
            fields[name] = [*fields[name], chosen] if name in fields else [chosen]
