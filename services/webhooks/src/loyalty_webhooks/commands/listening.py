"""``loyalty-webhooks listen``: follows the event log by an API key, and forwards signed events to a local program.

An integrator's tool: it knows the public API only, and none of the service's settings.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import requests

from loyalty_webhooks.domain.secret_box import new_signing_secret
from loyalty_webhooks.domain.signing import delivery_headers

_POLL_S = 1.0
_AWAY_S = 5.0
_TIMEOUT_S = 15.0


class Refused(Exception):
    """The API does not let this key follow the log; the text says why."""


@dataclass(frozen=True)
class Log:
    """The event log of the key's organization. ``url`` ends in ``/api/v1``; ``say`` gets what the user should know."""

    url: str
    api_key: str
    say: Callable[[str], None]

    def last_sequence(self) -> int:
        last: int = self._get({"limit": 1})["meta"]["last_sequence"]
        return last

    def after(self, sequence: int) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._get({"after_sequence": sequence})["data"]
        return events

    def follow(self, sequence: int, *, stop: threading.Event) -> Iterator[dict[str, Any]]:
        """Every event behind ``sequence``, once, in order; outages are waited out."""
        while not stop.is_set():
            try:
                events = self.after(sequence)
            except requests.RequestException as error:
                self.say(f"The API does not answer ({type(error).__name__}); trying on.")
                stop.wait(_AWAY_S)
                continue
            for event in events:
                sequence = event["sequence"]
                yield event
            if not events:
                stop.wait(_POLL_S)

    def _get(self, query: dict[str, int]) -> Any:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        answer = requests.get(f"{self.url}/events", query, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
        if 400 <= answer.status_code < 500 and answer.status_code != 429:
            raise Refused(_message(answer))
        answer.raise_for_status()
        return answer.json()


def listen(log: Log, *, forward_to: str, events: Collection[str], after: int | None, stop: threading.Event) -> None:
    """Forward what happens from now on, or behind ``after``, until stopped; only ``events`` if any are named."""
    secret = new_signing_secret(os.urandom(32))
    start = log.last_sequence() if after is None else after
    log.say(f"Forwarding what happens after event {start} to {forward_to}, signed with\n\n  {secret}\n")
    for event in log.follow(start, stop=stop):
        if not events or event["event"] in events:
            outcome = _forward(event, forward_to=forward_to, secret=secret)
            log.say(f"{time.strftime('%H:%M:%S')}  {event['sequence']:>6}  {event['event']:<24}  {outcome}")


def _forward(event: dict[str, Any], *, forward_to: str, secret: str) -> str:
    body = orjson.dumps(event)
    headers = delivery_headers(
        signing_secrets=[secret],
        event=event["event"],
        event_id=event["id"],
        delivery_id=event["sequence"],
        attempt=1,
        timestamp=int(time.time()),
        body=body,
    )
    try:
        answer = requests.post(forward_to, body, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        return f"no answer ({type(error).__name__})"
    return f"{answer.status_code} after {answer.elapsed.total_seconds() * 1000:.0f} ms"


def _message(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.url} answered {answer.status_code}."
