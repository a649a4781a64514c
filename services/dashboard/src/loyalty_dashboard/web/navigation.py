"""The menu: what there is, and who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from loyalty_dashboard.web.access import may
from loyalty_dashboard.web.languages import mark


@dataclass(frozen=True, slots=True)
class Entry:
    """``endpoint``: of the view that it opens; without a view it is not shown. ``role``: the least that sees it.
    ``also``: names of blueprints whose pages belong to it too."""

    label: str
    endpoint: str
    icon: str
    role: str = "staff"
    also: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        return (request.endpoint or "").split(".")[0] in (self.endpoint.split(".")[0], *self.also)


MENU: tuple[tuple[str | None, tuple[Entry, ...]], ...] = (
    (
        None,
        (
            Entry(mark("Home"), "home.home", "house", also=("comparison",)),
            Entry(mark("Counter"), "counter.counter", "store"),
            Entry(mark("Customers"), "customers.index", "users", also=("managed_customers",)),
        ),
    ),
    (
        mark("Programs"),
        (
            Entry(mark("Loyalty cards"), "loyalty_cards.index", "credit-card", "manager", ("rewards",)),
            Entry(mark("Stamp cards"), "stamp_cards.index", "stamp", "manager"),
            Entry(mark("Vouchers"), "vouchers.index", "ticket-percent", "manager", ("voucher_batches",)),
            Entry(mark("Referrals"), "referral_programs.index", "share-2", "manager"),
        ),
    ),
    (
        mark("Developer"),
        (
            Entry(mark("API keys"), "api_keys.index", "key-round", "owner"),
            Entry(mark("Webhooks"), "webhooks.index", "webhook", "manager", ("webhook_deliveries", "webhook_replays")),
            Entry(mark("Audit log"), "audit.index", "scroll-text", "manager"),
            Entry(mark("Documentation"), "portal.docs", "book-open"),
        ),
    ),
    (
        mark("Settings"),
        (
            Entry(mark("Organization"), "organization.organization", "building-2", "manager"),
            Entry(mark("Locations"), "locations.index", "map-pin", "manager"),
            Entry(mark("Imports"), "imports.index", "upload", "manager"),
            Entry(mark("Users"), "users.index", "user-cog", "owner"),
        ),
    ),
)


def install(app: Flask) -> None:
    app.jinja_env.globals["menu"] = _shown


def _shown() -> Iterator[tuple[str | None, list[Entry]]]:
    for title, entries in MENU:
        shown = [entry for entry in entries if entry.endpoint in current_app.view_functions and may(entry.role)]
        if shown:
            yield title, shown
