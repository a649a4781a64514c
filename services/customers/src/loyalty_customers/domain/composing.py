"""What the whole suite knows of a customer: each service is asked for its part, all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from loyalty_common.errors import Unavailable
from loyalty_common.service_client import ServiceClient

_THREADS = 16
_WALLET = {
    "programs": ("loyalty_cards", "stamp_cards", "rewards", "referral_codes"),
    "vouchers": ("vouchers",),
}
_EXPORT = {
    "programs": (
        "enrollments",
        "transactions",
        "redemptions",
        "reward_claims",
        "stamp_transactions",
        "stamp_rewards",
        "referral_codes",
        "referrals",
    ),
    "vouchers": ("voucher_redemptions",),
    "webhooks": ("events",),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened. ``at`` orders the timeline; ``shown`` is what the API answers."""

    at: datetime
    shown: Mapping[str, Any]


class Suite:
    """The other services, by name. Call it outside any transaction."""

    def __init__(self, services: Mapping[str, ServiceClient]) -> None:
        self._services = services
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ask")

    def wallet(self, *, tenant_id: int, customer_id: int) -> tuple[dict[str, Any], list[str]]:
        """The lists of a wallet, and the services that did not answer: their lists are empty."""
        path = f"/internal/customers/{customer_id}/wallet"
        answers = self._ask(dict.fromkeys(_WALLET, path), tenant_id=tenant_id, params={})
        lists = {name: (answers[service] or {}).get(name, []) for service, names in _WALLET.items() for name in names}
        return lists, [service for service in _WALLET if answers[service] is None]

    def export(self, *, tenant_id: int, customer_id: int) -> dict[str, Any]:
        """All lists, or ``Unavailable``: half of what is held on a person would pass for the whole."""
        path = f"/internal/customers/{customer_id}/export"
        answers = self._ask_all(dict.fromkeys(_EXPORT, path), tenant_id=tenant_id, params={})
        return {name: answers[service].get(name, []) for service, names in _EXPORT.items() for name in names}

    def timeline(self, *, tenant_id: int, customer_id: int, before: datetime, limit: int) -> list[Entry]:
        """The newest ``limit`` entries before ``before``, and past it those of the last one's moment.

        ``Unavailable`` if a service is silent: what it lacks on one page would be missed on all that follow.
        """
        path = f"/internal/customers/{customer_id}/timeline"
        parts = self._ask_all(
            dict.fromkeys(("programs", "vouchers"), path),
            tenant_id=tenant_id,
            params={"before": before.isoformat(), "limit": limit},
        )
        found = [_entry(told) for part in parts.values() for told in part]
        return newest(found, limit=limit)

    def statistics(self, *, tenant_id: int, params: Mapping[str, Any]) -> tuple[Any, Any]:
        """Programs' and vouchers' parts, or ``Unavailable``."""
        parts = self._ask_all(
            dict.fromkeys(("programs", "vouchers"), "/internal/statistics"), tenant_id=tenant_id, params=params
        )
        return parts["programs"], parts["vouchers"]

    def _ask_all(self, paths: Mapping[str, str], *, tenant_id: int, params: Mapping[str, Any]) -> dict[str, Any]:
        answers = self._ask(paths, tenant_id=tenant_id, params=params)
        for service, told in answers.items():
            if told is None:
                raise Unavailable(f"The {service} service is not available at the moment.")
        return answers

    def _ask(self, paths: Mapping[str, str], *, tenant_id: int, params: Mapping[str, Any]) -> dict[str, Any]:
        """None for a service that did not answer."""
        # With the context of this thread: each question belongs to the trace of whoever caused it.
        asked = {
            service: self._threads.submit(
                copy_context().run, partial(self._services[service].get, path, tenant_id=tenant_id, params=params)
            )
            for service, path in paths.items()
        }
        answers: dict[str, Any] = {}
        for service, question in asked.items():
            try:
                answers[service] = question.result()
            except Unavailable:
                answers[service] = None
        return answers


def newest(entries: Sequence[Entry], *, limit: int) -> list[Entry]:
    """Of entries in any order the newest ``limit``, and with the last of them all of its moment."""
    ordered = sorted(entries, key=lambda entry: entry.at, reverse=True)
    if len(ordered) <= limit:
        return ordered
    last = ordered[limit - 1].at
    return [entry for entry in ordered if entry.at >= last]


def _entry(told: Mapping[str, Any]) -> Entry:
    at = datetime.fromisoformat(told["at"])
    return Entry(at, {**told, "at": at.replace(microsecond=0).isoformat()})
