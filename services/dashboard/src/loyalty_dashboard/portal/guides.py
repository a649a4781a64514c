"""The pages that are written by hand, in the order in which one reads them."""

from __future__ import annotations

from dataclasses import dataclass

from loyalty_dashboard.portal.search import Entry
from loyalty_dashboard.web.languages import gettext, mark


@dataclass(frozen=True)
class Guide:
    """``words`` are what a reader may look for in it, beside its title; of a section its anchor stands first."""

    slug: str
    title: str
    intro: str
    sections: tuple[tuple[str, str, str], ...] = ()

    @property
    def url(self) -> str:
        return f"/docs/{self.slug}" if self.slug else "/docs"


GUIDES = (
    Guide("", mark("Overview"), mark("Authentication, endpoints, webhooks, and error handling for v1.")),
    Guide(
        "quick-start",
        mark("Quick start"),
        mark("From zero to your first authenticated request in minutes."),
        (("first-request", mark("Your first request"), "customers curl"),),
    ),
    Guide(
        "authentication",
        mark("Authentication"),
        mark("Keys, what they may do, and how to keep them."),
        (
            ("scopes", mark("Scopes"), "insufficient_scope permissions"),
            ("test-mode", mark("Test and live"), "lpk_test lpk_live sandbox"),
            ("rotation", mark("Rotating and revoking"), "rotate revoke overlap expiry expires_at"),
            ("limits", mark("Rate limits"), "rate limit 429 RateLimit Retry-After quota plan"),
        ),
    ),
    Guide(
        "requests",
        mark("Requests"),
        mark("Headers, idempotency, and response envelopes."),
        (
            ("headers", mark("Headers"), "Content-Type Accept Authorization X-Request-Id"),
            ("envelope", mark("Success envelope"), "data meta request_id warnings duplicate"),
            ("idempotency", mark("Idempotency"), "Idempotency-Key retry replay reference duplicate"),
            ("pagination", mark("Pagination"), "page per_page cursor links next total list"),
            ("values", mark("Money, dates and ids"), "decimal currency amount time zone UTC date integer"),
        ),
    ),
    Guide(
        "webhooks",
        mark("Webhooks"),
        mark("Signed HTTPS deliveries when members interact with your programs."),
        (
            ("headers", mark("Delivery headers"), "X-Loyalty-Event X-Loyalty-Timestamp"),
            ("verify", mark("Verify the signature"), "hmac sha256 X-Loyalty-Signature whsec secret python php node"),
            ("payload", mark("Payload"), "id event created_at sequence data"),
            ("retries", mark("Retries and redelivery"), "retry attempt exhausted redeliver replay Retry-After 410"),
            ("event-log", mark("Proving that you missed nothing"), "events after_sequence log sequence"),
            ("local", mark("On your own machine"), "listen forward-to localhost"),
        ),
    ),
    Guide("events", mark("Event types"), mark("What happens, and what you are told of it.")),
    Guide(
        "errors",
        mark("Errors"),
        mark("Consistent JSON error objects across the API."),
        (
            ("statuses", mark("Statuses"), "400 401 403 404 405 413 415 429 500 502 503 504"),
            ("reasons", mark("Reasons"), ""),
        ),
    ),
)


def entries(reasons: tuple[str, ...]) -> list[Entry]:
    """For the search, in the language of the reader."""
    found = []
    for guide in GUIDES:
        found.append(Entry(gettext("Guide"), gettext(guide.title), gettext(guide.intro), guide.url))
        for anchor, title, words in guide.sections:
            words = " ".join(reasons) if anchor == "reasons" else words
            found.append(Entry(gettext("Guide"), gettext(title), gettext(guide.title), f"{guide.url}#{anchor}", words))
    return found
