"""The API, in the name of whoever is signed in."""

from __future__ import annotations

from flask import current_app, g, request

from loyalty_dashboard.api import Api, Caller
from loyalty_dashboard.web.sessions import person


def api() -> Caller:
    """For this request. What it returns may be used from other threads too, to ask for several things at once."""
    someone = person()
    headers = anonymous().headers
    return Caller(_api(), {**headers, "Authorization": f"Bearer {someone.token}"}) if someone else anonymous()


def anonymous() -> Caller:
    """For what needs no session, in the name of nobody."""
    # Appended as proxies do: who tries passwords is counted by his own address, if the gateway trusts ours.
    hops = [*request.headers.getlist("X-Forwarded-For"), request.remote_addr or ""]
    return Caller(_api(), {"X-Forwarded-For": ", ".join(hops), "X-Request-Id": g.request_id})


def _api() -> Api:
    api: Api = current_app.extensions["api"]
    return api
