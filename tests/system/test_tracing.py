"""One trace from the caller's own span to the attempt to tell an integrator, in the spans that a collector receives."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loyalty_testing.collector import Collected, Collector


class Till:
    """Sells to one customer, and says in which trace."""

    def __init__(self, merchant: Any, receiver: Any) -> None:
        self.merchant = merchant
        self.receiver = receiver
        api = merchant.api
        to_all = {"url": receiver.url, "events": ["loyalty.points_earned"]}
        self.secret = api.data("POST", "/webhook-endpoints", to_all)["signing_secret"]
        self.customer_id = api.data("POST", "/customers", {"email": "traced@example.com"})["id"]
        card = {"name": "Traced", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
        self.card_id = api.data("POST", "/loyalty-cards", card)["id"]
        self._sales = 0

    def sells(self, *, traceparent: str) -> str:
        """The request id of a sale that the integrator has heard of."""
        self._sales += 1
        path, sale = f"/loyalty-cards/{self.card_id}/transactions", {"customer_id": self.customer_id, "points": 1}
        answer = self.merchant.api.call("POST", path, sale, headers={"traceparent": traceparent})
        assert answer.status_code == 201
        self.receiver.events("loyalty.points_earned", self._sales)
        request_id: str = answer.headers["X-Request-Id"]
        return request_id


@pytest.fixture
def till(broker_suite: Any, found_merchant: Callable[..., Any], receiver: Any) -> Iterator[Till]:
    till = Till(found_merchant(broker_suite), receiver)
    yield till
    till.merchant.api.data("PATCH", f"/loyalty-cards/{till.card_id}", {"is_active": False})


def chain(collector: Collector, trace_id: str, *, begun_by: str = "") -> list[tuple[str, str]]:
    """From the attempt back to what caused it, and so on, told from its beginning; as soon as it is whole."""

    def find(spans: list[Collected]) -> list[Collected]:
        in_trace = {span.span_id: span for span in spans if span.trace_id == trace_id}
        found = [span for span in in_trace.values() if span.name.startswith("attempt")]
        while found and (cause := in_trace.get(found[-1].parent_id)) is not None:
            found.append(cause)
        return found[::-1] if found and found[-1].parent_id == begun_by else []

    return [(span.service, span.name) for span in collector.wait_for(find)]


def test_one_trace_leads_from_the_caller_to_the_attempt_to_tell_an_integrator(till: Till, collector: Collector) -> None:
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    till.sells(traceparent=f"00-{trace_id}-{span_id}-01")
    assert chain(collector, trace_id, begun_by=span_id) == [
        ("gateway", "POST /v1/loyalty-cards/{card_id}/transactions"),
        ("programs", "POST /v1/loyalty-cards/<id:card_id>/transactions"),
        ("webhooks", "consume loyalty.points_earned"),
        ("webhooks", "attempt loyalty.points_earned"),
    ]


def test_what_a_service_asks_another_for_a_caller_belongs_to_his_trace(till: Till, collector: Collector) -> None:
    trace_id = secrets.token_hex(16)
    till.merchant.api.data(
        "GET", f"/customers/{till.customer_id}/wallet", headers={"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
    )

    def asked(spans: list[Collected]) -> list[str]:
        """Who was asked by customers, which were asked by the gateway."""
        in_trace = [span for span in spans if span.trace_id == trace_id]
        own = {span.span_id for span in in_trace if span.service == "customers"}
        return sorted(span.service for span in in_trace if span.parent_id in own)

    assert collector.wait_for(lambda spans: found if len(found := asked(spans)) == 2 else []) == [
        "programs",
        "vouchers",
    ]


def test_a_caller_who_does_not_sample_is_not_exported(till: Till, collector: Collector) -> None:
    unsampled, sampled = secrets.token_hex(16), secrets.token_hex(16)
    till.sells(traceparent=f"00-{unsampled}-{'1' * 16}-00")
    till.sells(traceparent=f"00-{sampled}-{'1' * 16}-01")
    # Each process sends its spans in their order.
    assert len(chain(collector, sampled, begun_by="1" * 16)) == 4
    assert unsampled not in {span.trace_id for span in collector.spans}


@pytest.mark.parametrize("invalid", ["nonsense", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01"])
def test_a_trace_that_is_not_valid_begins_anew_at_the_door(till: Till, collector: Collector, invalid: str) -> None:
    request_id = till.sells(traceparent=invalid)

    def at_the_door(spans: list[Collected]) -> list[Collected]:
        return [
            span
            for span in spans
            if span.service == "gateway" and span.attributes.get("loyalty.request_id") == request_id
        ]

    [door] = collector.wait_for(at_the_door)
    assert door.parent_id == ""
    assert door.trace_id not in invalid
    assert len(chain(collector, door.trace_id)) == 4


def test_no_secret_and_nobodys_address_leaves_the_suite_in_a_trace(till: Till, collector: Collector) -> None:
    trace_id = secrets.token_hex(16)
    till.sells(traceparent=f"00-{trace_id}-{'1' * 16}-01")
    assert len(chain(collector, trace_id, begun_by="1" * 16)) == 4
    key = till.merchant.live_key.encode()
    for body in collector.bodies:
        assert not [
            told for told in (b"lpk_", key[-20:], b"whsec_", till.secret.encode()[-20:], b"traced@") if told in body
        ]
