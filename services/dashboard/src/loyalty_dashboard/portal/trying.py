"""The console: a form for each operation that a key can call, and what the API answered."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, current_app, make_response, render_template, request

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.portal import console, literals
from loyalty_dashboard.portal.console import Outcome, Trial
from loyalty_dashboard.portal.examples import Example
from loyalty_dashboard.portal.operations import Operation
from loyalty_dashboard.portal.views import blueprint, documentation
from loyalty_dashboard.web.calls import anonymous
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext, mark

_WORDS = {
    console.NO_TEST_KEY: mark("This is no test key. Test keys begin with lpk_test_."),
    console.LIVE_KEY: mark("This is a key to live data. Here only keys of the test mode may be used."),
    console.MISSING: mark("This field is required."),
    console.NOT_A_SEGMENT: mark("This holds a character that cannot stand here."),
    console.TOO_LARGE: mark("This is more than can be sent from here."),
}


@blueprint.route("/docs/console/<operation_id>", methods=["GET", "POST"])
def try_out(operation_id: str) -> Response:
    documented = documentation()
    operation = documented.operations.get(operation_id)
    if operation is None or not console.can_be_tried(operation):
        abort(404)
    form = Form.of_request(_prefilled(documented.example(operation)))
    facts: dict[str, Any] = {}
    if request.method == "POST":
        facts = _tried(operation, form)
    page = "portal/outcome.html" if "HX-Request" in request.headers else "portal/console.html"
    group = documented.group_of(operation)
    text = render_template(page, form=form, operation=operation, group=group, **facts)
    # htmx puts only successes into the page.
    return make_response(text, 400 if form.errors and page == "portal/console.html" else 200)


def _prefilled(example: Example) -> dict[str, Any]:
    """What the documentation shows, so that one key is all that is missing."""
    body = example.body if example.file or example.body is None else literals.as_json(example.body)
    path = {f"path.{name}": value for name, value in example.path.items()}
    query = {f"query.{name}": literals.plain(value) for name, value in example.query.items()}
    return {**path, **query, "body": body}


def _tried(operation: Operation, form: Form) -> dict[str, Outcome | bool]:
    trial = Trial.of(operation, request.form)
    form.errors = {name: [gettext(_WORDS[fault])] for name, fault in trial.faults.items()}
    if form.errors:
        return {}
    try:
        return {"outcome": console.send(trial, current_app.extensions["api"], headers=anonymous().headers)}
    except ApiError:
        return {"away": True}
