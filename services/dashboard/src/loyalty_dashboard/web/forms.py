"""A form on its way: what it shows, what was sent, and what the API said to it.

    form = Form.of_request(defaults=api_key)
    if request.method == "POST":
        made = form.send("POST", "/api-keys", {"name": form.text("name"), "scopes": form.many("scopes")})
        if made is not None:
            return redirect(…)
    return form.page("api_keys/new.html")

Works the same without JavaScript. A form carries the Idempotency-Key under which it is sent: sending it twice does one
thing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask, Response, make_response, render_template, request

from loyalty_dashboard.api import Answer, ApiError, Caller
from loyalty_dashboard.web import sentences
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.sessions import person

KEY = "idempotency_key"


def install(app: Flask) -> None:
    app.jinja_env.globals |= {"new_key": new_key, "this_page": this_page, "views": lambda: app.view_functions}


def new_key() -> str:
    return str(uuid.uuid4())


def this_page(**changed: str | None) -> str:
    """The address of this page with other parameters; None takes one away."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changed]
    query = urlencode([*kept, *((name, value) for name, value in changed.items() if value is not None)])
    return f"{request.path}?{query}" if query else request.path


class Form:
    """``errors``: sentences by field. ``message``: what is wrong with all of it, None if nothing is."""

    def __init__(self, values: Mapping[str, Any], *, sent: bool) -> None:
        self.errors: dict[str, list[str]] = {}
        self.message: str | None = None
        self.key = new_key()
        self._values = values
        self._is_sent = sent
        self._status = 200

    @classmethod
    def of_request(cls, defaults: Mapping[str, Any] | None = None) -> Self:
        """What was sent, else ``defaults``: an object of the API that is to be changed, or the values to begin with."""
        is_sent = request.method == "POST"
        return cls(request.form if is_sent else defaults or {}, sent=is_sent)

    def shown(self, name: str) -> str:
        """As an input shows it."""
        value = self._values.get(name)
        return "" if value is None else str(value)

    def chosen(self, name: str) -> list[str]:
        """Of boxes and lists of several."""
        return request.form.getlist(name) if self._is_sent else [str(one) for one in self._values.get(name) or []]

    def is_on(self, name: str) -> bool:
        """Of one box."""
        return name in request.form if self._is_sent else bool(self._values.get(name))

    def text(self, name: str) -> str | None:
        """None if it was left empty."""
        return request.form.get(name, "").strip() or None

    def secret(self, name: str) -> str:
        """As it was typed."""
        return request.form.get(name, "")

    def integer(self, name: str) -> int | str | None:
        """What is no integer goes to the API as it is, which says so beside the field."""
        text = self.text(name)
        return int(text) if text and text.removeprefix("-").isdecimal() and len(text) < 19 else text

    def decimal(self, name: str) -> str | None:
        """A number with decimals, whichever way the comma goes: 24,50 and 24.50, 1.234,50 and 1,234.50."""
        text = self.text(name)
        if text is None:
            return None
        text = text.replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
        point = max(text.rfind(","), text.rfind("."))
        return text[:point].replace(",", "").replace(".", "") + "." + text[point + 1 :] if point >= 0 else text

    def many(self, name: str) -> list[str]:
        return request.form.getlist(name)

    def lines(self, name: str) -> list[str]:
        """Of a text with one thing in each line."""
        return [line.strip() for line in request.form.get(name, "").splitlines() if line.strip()]

    def moment(self, name: str) -> str | None:
        """Of a ``datetime-local`` input, which is meant in the organization's time zone."""
        text, someone = self.text(name), person()
        if text is None or someone is None:
            return text
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            return text
        return local.replace(tzinfo=ZoneInfo(someone.organization["time_zone"])).isoformat()

    def send(
        self, method: str, path: str, body: Any = None, *, caller: Caller | None = None, also: Sequence[int] = ()
    ) -> Answer | None:
        """The API's answer, or None if it refused what was sent, 400: then the form knows why. All else is raised.

        ``also``: statuses for which the form is shown again too.
        """
        try:
            return (caller or api()).send(method, path, body, key=self.sent_key)
        except ApiError as error:
            if error.status not in (400, *also):
                raise
            self.refuse(error)
            return None

    @property
    def sent_key(self) -> str | None:
        return request.form.get(KEY) or None

    def refuse(self, error: ApiError) -> None:
        """Show ``error`` beside the fields it names."""
        self._status = error.status
        for field, said in error.details.items():
            self.errors.setdefault(field.split(".")[0], []).extend(sentences.translated(one) for one in said)
        self.message = sentences.of_error(error)

    def page(self, template: str, *, status: int | None = None, **facts: Any) -> Response:
        """``status``: of the refusal if there was one, else 200, unless another is named."""
        return make_response(render_template(template, form=self, **facts), status or self._status)
