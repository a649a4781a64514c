"""One subscriber's ``POST /internal/events``, as the relay sees it."""

from __future__ import annotations

from typing import Protocol, Self
from uuid import UUID

import requests
import structlog

Body = tuple[UUID, bytes]
"""A message's id and its JSON."""

_TIMEOUT_S = (2.0, 10.0)  # to connect, to answer
_MOST_BYTES = 512 * 1024  # The receiver refuses bodies over 1 MiB.
_BODY_REFUSED = (400, 413)
_log = structlog.get_logger()


class TokenMinter(Protocol):
    def mint(self, audience: str, *, tenant_id: int | None = None) -> str: ...


class SubscriberUnavailable(Exception):
    """It answered, but not so that one could tell what it has taken."""


class Subscriber:
    def __init__(self, name: str, address: str, signer: TokenMinter) -> None:
        self.name = name
        self._url = f"{address.rstrip('/')}/internal/events"
        self._signer = signer
        self._session = requests.Session()
        self._session.trust_env = False  # A proxy of the environment is not for our own traffic.

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def send(self, bodies: list[Body]) -> tuple[set[UUID], set[UUID]]:
        """Sends as many as fit one request; the ids it has taken, and those it rejected.

        Raises ``SubscriberUnavailable`` or an error of requests if it may have taken none.
        """
        fitting = _fitting(bodies)
        rejected = self._post(fitting)
        for message_id, error in rejected.items():
            _log.error("message_rejected_by_subscriber", subscriber=self.name, message_id=str(message_id), error=error)
        return {message_id for message_id, _ in fitting} - rejected.keys(), set(rejected)

    def _post(self, bodies: list[Body]) -> dict[UUID, str]:
        response = self._session.post(
            self._url,
            data=b'{"messages":[' + b",".join(body for _, body in bodies) + b"]}",
            headers={
                "Authorization": f"Bearer {self._signer.mint(self.name)}",
                "Content-Type": "application/json",
            },
            timeout=_TIMEOUT_S,
            allow_redirects=False,
        )
        if response.status_code in _BODY_REFUSED:
            return self._post_one_by_one(bodies, f"answered {response.status_code}")
        if response.status_code != requests.codes.ok:
            raise SubscriberUnavailable(f"answered {response.status_code}")
        return _rejected(response)

    def _post_one_by_one(self, bodies: list[Body], refusal: str) -> dict[UUID, str]:
        """One message that the receiver's edge cannot read must not keep all others in the outbox."""
        if len(bodies) == 1:
            return {bodies[0][0]: refusal}
        rejected: dict[UUID, str] = {}
        for body in bodies:
            rejected |= self._post([body])
        return rejected


def _fitting(bodies: list[Body]) -> list[Body]:
    """The first of ``bodies``: at least one, together no larger than a request may be."""
    size = 0
    for count, (_, body) in enumerate(bodies):
        size += len(body) + 1
        if count and size > _MOST_BYTES:
            return bodies[:count]
    return bodies


def _rejected(response: requests.Response) -> dict[UUID, str]:
    try:
        return {UUID(item["id"]): str(item["error"]) for item in response.json()["data"]["rejected"]}
    except (KeyError, TypeError, ValueError):
        raise SubscriberUnavailable("answered 200 with a body that makes no sense") from None
